// Package socks is the server's end of a SOCKS handshake: version 5 (RFC 1928) without
// authentication, and versions 4 and 4a.
//
//	request, err := socks.Accept(conn)
//	target, err := dial(request.Host, request.Port)
//	err = request.Reply(conn, socks.Granted, target.LocalAddr())
package socks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// Replies of RFC 1928, section 6. wire.Code.SOCKS5 has those for what a server answers.
const (
	Granted             byte = 0
	Failed              byte = 1
	Refused             byte = 5
	CommandNotSupported byte = 7
	AddressNotSupported byte = 8
)

// Versions and numbers of the protocols.
const (
	version4 = 4
	version5 = 5

	connect = 1 // the only command

	noAuthentication  = 0
	noAcceptedMethods = 0xff

	typeIPv4 = 1
	typeName = 3
	typeIPv6 = 4

	granted4  = 90
	rejected4 = 91

	// maxText bounds the texts of version 4, which end with a NUL. No name is longer.
	maxText = 255
)

// A Request is what a client asks for.
type Request struct {
	Host wire.Host
	Port uint16

	version byte
}

// Accept reads the handshake of a client up to its request. It reads no byte behind that. If
// the request cannot be served, Accept has answered it, and the error says why.
func Accept(conn io.ReadWriter) (Request, error) {
	r := reader{conn}
	version, err := r.u8()
	if err != nil {
		return Request{}, err
	}
	switch version {
	case version4:
		return accept4(r, conn)
	case version5:
		return accept5(r, conn)
	}
	return Request{}, fmt.Errorf("version %d is not SOCKS", version)
}

func accept5(r reader, w io.Writer) (Request, error) {
	q := Request{version: version5}
	count, err := r.u8()
	if err != nil {
		return q, err
	}
	methods, err := r.bytes(int(count))
	if err != nil {
		return q, err
	}
	if !slices.Contains(methods, noAuthentication) {
		_, _ = w.Write([]byte{version5, noAcceptedMethods}) // the client is refused either way
		return q, errors.New("the client wants to authenticate, which is not offered")
	}
	if _, err := w.Write([]byte{version5, noAuthentication}); err != nil {
		return q, err
	}
	head, err := r.bytes(4)
	if err != nil {
		return q, err
	}
	if head[0] != version5 {
		return q, fmt.Errorf("version %d in the request", head[0])
	}
	refuse := func(reply byte, err error) (Request, error) {
		_ = q.Reply(w, reply, nil) // the client is refused either way
		return q, err
	}
	switch head[3] {
	case typeIPv4, typeIPv6:
		size := 4
		if head[3] == typeIPv6 {
			size = 16
		}
		b, err := r.bytes(size)
		if err != nil {
			return q, err
		}
		addr, _ := netip.AddrFromSlice(b) // the length fits
		q.Host = wire.HostOf(addr)
	case typeName:
		length, err := r.u8()
		if err != nil {
			return q, err
		}
		b, err := r.bytes(int(length))
		if err != nil {
			return q, err
		}
		q.Host = wire.ParseHost(string(b)) // some clients send an address as a name
	default:
		return refuse(AddressNotSupported, fmt.Errorf("address type %d is not known", head[3]))
	}
	port, err := r.bytes(2)
	if err != nil {
		return q, err
	}
	q.Port = binary.BigEndian.Uint16(port)
	if head[1] != connect {
		return refuse(CommandNotSupported, fmt.Errorf("command %d is not CONNECT", head[1]))
	}
	if q.Host.IsZero() {
		return refuse(Failed, errors.New("the name is empty"))
	}
	return q, nil
}

// accept4 reads a request of version 4, or of 4a: there the address is 0.0.0.x, and a name
// follows.
func accept4(r reader, w io.Writer) (Request, error) {
	q := Request{version: version4}
	head, err := r.bytes(7)
	if err != nil {
		return q, err
	}
	q.Port = binary.BigEndian.Uint16(head[1:])
	address := [4]byte(head[3:])
	q.Host = wire.HostOf(netip.AddrFrom4(address))
	if _, err := r.text(); err != nil { // the user's name
		return q, err
	}
	if address[0] == 0 && address[1] == 0 && address[2] == 0 && address[3] != 0 {
		name, err := r.text()
		if err != nil {
			return q, err
		}
		q.Host = wire.ParseHost(name)
	}
	switch {
	case head[0] != connect:
		err = fmt.Errorf("command %d is not CONNECT", head[0])
	case q.Host.IsZero():
		err = errors.New("the name is empty")
	}
	if err != nil {
		_ = q.Reply(w, Failed, nil) // the client is refused either way
	}
	return q, err
}

// Reply answers the request. bound is the near end of the connection to the target; an address
// of another kind than *net.TCPAddr is left out.
func (q Request) Reply(w io.Writer, reply byte, bound net.Addr) error {
	at := netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	if tcp, ok := bound.(*net.TCPAddr); ok {
		at = tcp.AddrPort()
	}
	addr := at.Addr().Unmap()
	if q.version == version4 {
		message := []byte{0, rejected4}
		if reply == Granted {
			message[1] = granted4
		}
		message = binary.BigEndian.AppendUint16(message, at.Port())
		if !addr.Is4() {
			addr = netip.IPv4Unspecified()
		}
		_, err := w.Write(append(message, addr.AsSlice()...))
		return err
	}
	kind := byte(typeIPv4)
	if addr.Is6() {
		kind = typeIPv6
	}
	message := append([]byte{version5, reply, 0, kind}, addr.AsSlice()...)
	_, err := w.Write(binary.BigEndian.AppendUint16(message, at.Port()))
	return err
}

// reader reads the parts of a message, and no more.
type reader struct{ io.Reader }

func (r reader) bytes(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("the handshake is cut short: %w", err)
	}
	return b, nil
}

func (r reader) u8() (byte, error) {
	b, err := r.bytes(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

// text reads up to a NUL.
func (r reader) text() (string, error) {
	var text []byte
	for {
		c, err := r.u8()
		switch {
		case err != nil:
			return "", err
		case c == 0:
			return string(text), nil
		case len(text) == maxText:
			return "", fmt.Errorf("a text is longer than %d bytes", maxText)
		}
		text = append(text, c)
	}
}
