//go:build !js

package sockmux_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// packets is a socket on loopback.
func packets(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience)) // of an open socket: never fails
	return conn.(*net.UDPConn)
}

// echoPackets sends each datagram back.
func echoPackets(t *testing.T) *net.UDPConn {
	t.Helper()
	conn := packets(t)
	go func() { // ends with the socket
		b := make([]byte, datagram.MaxPayload)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	return conn
}

// TestUDP: a connected socket has the boundaries, the addresses and the errors of net.Dial("udp").
func TestUDP(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1", "--admin", "127.0.0.1:0")
	d := dialerFor(t, server)
	echo := echoPackets(t)
	conn, err := d.DialContext(t.Context(), "udp", echo.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // of an open socket: never fails
	if got := conn.RemoteAddr(); got.String() != echo.LocalAddr().String() || got.Network() != "udp" {
		t.Errorf("remote address %s", got)
	}
	if local, ok := conn.LocalAddr().(*net.UDPAddr); !ok || !local.IP.IsLoopback() || local.Port == 0 {
		t.Errorf("local address %v", conn.LocalAddr())
	}
	b := make([]byte, datagram.MaxPayload)
	for _, size := range []int{5, 0, 1472, datagram.MaxPayload} {
		want := bytes.Repeat([]byte{byte(size)}, size)
		n, err := conn.Write(want)
		if n != size || err != nil {
			t.Fatal(n, err)
		}
		if n, err = conn.Read(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Errorf("%d bytes: got %d, %v", size, n, err)
		}
	}
	if _, err := conn.Write(make([]byte, datagram.MaxPayload+1)); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("too long: %v", err)
	}
	if _, err := conn.Write([]byte("longer")); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(b[:3]); n != 3 || err != nil {
		t.Errorf("a short buffer: %d, %v", n, err)
	}
	if _, err := conn.(net.PacketConn).WriteTo(b[:1], echo.LocalAddr()); !errors.Is(err, net.ErrWriteToConnected) {
		t.Errorf("WriteTo: %v", err)
	}
	_ = conn.SetReadDeadline(time.Now()) // as above
	if _, err := conn.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(b); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read behind Close: %v", err)
	}
	if _, err := conn.Write(b[:1]); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write behind Close: %v", err)
	}
	servertest.Eventually(t, patience, "datagrams are counted", func() bool {
		return server.Metric(t, `sockmux_datagrams_total{direction="up"}`) == 5 && server.Metric(t, `sockmux_streams_ended_total{code="ok",kind="udp"}`) == 1
	})
}

// TestUDPErrors: the errno that package net would give, and a socket that goes on.
func TestUDPErrors(t *testing.T) {
	d := dialerFor(t, product.Start(t, "--deny", "udp://denied.example", "--allow", "127.0.0.1"))
	free := packets(t)
	_ = free.Close()
	conn, err := d.DialContext(t.Context(), "udp", free.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // of an open socket: never fails
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	for address, want := range map[string]error{"10.0.0.1:53": syscall.EACCES, "224.0.0.1:5": syscall.EACCES, "denied.example:5": syscall.EACCES} {
		if _, err := d.DialContext(t.Context(), "udp", address); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
	}
	var dns *net.DNSError
	if _, err := d.DialContext(t.Context(), "udp", "name.invalid:5"); !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "name.invalid" {
		t.Errorf("a name that does not exist: %v", err)
	}
	if _, err := d.ListenPacket(t.Context(), "udp", ":5353"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a port of the program's choice: %v", err)
	}
	for _, address := range []string{"127.0.0.1:0", "nothing", "host:0"} {
		if _, err := d.ListenPacket(t.Context(), "udp", address); err == nil {
			t.Errorf("listening at %s is no error", address)
		}
	}
	if _, err := d.ListenPacket(t.Context(), "tcp", ":0"); !errors.Is(err, net.UnknownNetworkError("tcp")) {
		t.Errorf("tcp: %v", err)
	}
	socket, err := d.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	denied := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.1:53"))
	servertest.Eventually(t, patience, "the denial is told", func() bool {
		_, err = socket.WriteTo([]byte("x"), denied)
		return errors.Is(err, syscall.EACCES)
	})
	if _, err := socket.(net.Conn).Write(nil); !errors.Is(err, syscall.EDESTADDRREQ) {
		t.Errorf("a write without an address: %v", err)
	}
}

// address is any net.Addr.
type address string

func (address) Network() string  { return "udp" }
func (a address) String() string { return string(a) }

// TestListenPacket: one socket, several peers, by address and by name; no stranger.
func TestListenPacket(t *testing.T) {
	d := dialerFor(t, product.Start(t, "--allow", "127.0.0.1", "--allow", "localhost"))
	socket, err := d.ListenPacket(t.Context(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.SetReadDeadline(time.Now().Add(patience)) // of an open socket: never fails
	first, second, stranger := echoPackets(t), echoPackets(t), packets(t)
	port := socket.LocalAddr().(*net.UDPAddr).Port
	if _, err := stranger.WriteToUDPAddrPort([]byte("noise"), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))); err != nil {
		t.Fatal(err)
	}
	byName := address(fmt.Sprintf("localhost:%d", second.LocalAddr().(*net.UDPAddr).Port))
	b := make([]byte, 100)
	for i, to := range []net.Addr{first.LocalAddr(), byName, first.LocalAddr()} {
		want := fmt.Sprint("datagram ", i)
		if _, err := socket.WriteTo([]byte(want), to); err != nil {
			t.Fatal(err)
		}
		n, from, err := socket.ReadFrom(b)
		if err != nil || string(b[:n]) != want || from.String() != to.String() {
			t.Errorf("%q from %v, %v; want %q from %s", b[:n], from, err, want, to)
		}
	}
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := socket.ReadFrom(b); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read behind Close: %v", err)
	}
}

// TestResolverOverUDP: net.Resolver asks a DNS server through the session.
func TestResolverOverUDP(t *testing.T) {
	dns := product.DNS{Zone: product.Zone{"db.example.": {"A 192.0.2.7"}}}.Serve(t, "127.0.0.1:0")
	d := dialerFor(t, product.Start(t, "--allow", "127.0.0.1"))
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, dns)
	}}
	addrs, err := resolver.LookupHost(t.Context(), "db.example")
	if err != nil || len(addrs) != 1 || addrs[0] != "192.0.2.7" {
		t.Errorf("%v, %v", addrs, err)
	}
}

// TestUDPDrops: a program that sends faster than the session takes waits for nothing.
func TestUDPDrops(t *testing.T) {
	d := dialerFor(t, product.Start(t, "--allow", "127.0.0.1", "--bytes-per-second", "1000000"))
	target := packets(t)
	conn, err := d.DialContext(t.Context(), "udp", target.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	udp := conn.(*sockmux.UDPConn)
	payload := []byte(strings.Repeat("x", 1000))
	const many = 20000
	for range many {
		if _, err := udp.Write(payload); err != nil {
			t.Fatal(err)
		}
	}
	if dropped := udp.Dropped(); dropped == 0 || dropped == many {
		t.Errorf("%d of %d dropped", dropped, many)
	}
	if err := udp.Close(); err != nil {
		t.Error(err)
	}
}

// TestUDPEndsWithTheServer: no call waits for a session that is gone.
func TestUDPEndsWithTheServer(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1", "--idle-timeout", "200ms")
	d := dialerFor(t, server)
	socket, err := d.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = socket.ReadFrom(make([]byte, 9))
	var coded *wire.Error
	if !errors.As(err, &coded) || coded.Code != wire.Idle || !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("an idle socket: %v", err)
	}
	if _, err := socket.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:9"))); err == nil {
		t.Error("a write to a socket that has ended is no error")
	}
}
