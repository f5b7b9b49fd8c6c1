package resolver

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsPort is where DNS servers listen (RFC 1035, section 4.2).
const dnsPort = 53

// server answers one question at a time. Any number of goroutines may use one.
type server interface {
	// ask returns what unpack returns, or the error of the network.
	ask(ctx context.Context, host string, kind dnsmessage.Type) (found, error)
	String() string
	close()
}

// plain is a DNS server at an address, over UDP, and over TCP when the answer does not fit.
type plain struct {
	addr netip.AddrPort
}

func (p plain) String() string { return p.addr.String() }
func (plain) close()           {}

func (p plain) ask(ctx context.Context, host string, kind dnsmessage.Type) (found, error) {
	// A number of chance and, from the system, a port of chance: who does not see the
	// query cannot forge an answer (RFC 5452).
	var id [2]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	query := binary.BigEndian.Uint16(id[:])
	message, err := pack(query, host, kind)
	if err != nil {
		return found{}, err
	}
	f, err := p.exchange(ctx, "udp", func(conn net.Conn) (found, error) {
		if _, err := conn.Write(message); err != nil {
			return found{}, err
		}
		buffer := make([]byte, udpSize)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				return found{}, err
			}
			if f, err := unpack(buffer[:n], query, host, kind); !errors.Is(err, errStrange) {
				return f, err
			}
		}
	})
	if err != nil || !f.truncated {
		return f, err
	}
	return p.exchange(ctx, "tcp", func(conn net.Conn) (found, error) {
		framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...) // RFC 1035, section 4.2.2
		if _, err := conn.Write(framed); err != nil {
			return found{}, err
		}
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return found{}, fmt.Errorf("reading the answer: %w", err)
		}
		answer := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, answer); err != nil {
			return found{}, fmt.Errorf("reading the answer: %w", err)
		}
		f, err := unpack(answer, query, host, kind)
		if err == nil && f.truncated {
			err = errors.New("the answer is cut off, even over tcp")
		}
		return f, err
	})
}

// exchange connects and lets talk speak for as long as ctx lives.
func (p plain) exchange(ctx context.Context, network string, talk func(net.Conn) (found, error)) (found, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, p.addr.String())
	if err != nil {
		return found{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // the past: reads and writes end
	defer stop()
	return talk(conn)
}
