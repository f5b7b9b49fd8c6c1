package sockmux_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
)

// e2e/go.test.js gives SOCKMUX_PACKETS, a UDP socket that sends each datagram back, by address
// and, as SOCKMUX_PACKETS_NAME, by name; SOCKMUX_SILENT, a port of UDP without a socket; and a
// DNS that knows named.test and the name of 192.0.2.1.

// soon is a deadline that does not pass.
func soon() time.Time { return time.Now().Add(time.Minute) }

// TestUDP: a connected socket has the boundaries, the addresses and the errors of net.Dial("udp").
func TestUDP(t *testing.T) {
	conn, err := dialer.Dial("udp", os.Getenv("SOCKMUX_PACKETS"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(soon()) // of an open socket: never fails
	if got := conn.RemoteAddr(); got.String() != os.Getenv("SOCKMUX_PACKETS") || got.Network() != "udp" {
		t.Errorf("remote address %s", got)
	}
	if local, ok := conn.LocalAddr().(*net.UDPAddr); !ok || !local.IP.IsLoopback() || local.Port == 0 {
		t.Errorf("local address %v", conn.LocalAddr())
	}
	b := make([]byte, datagram.MaxPayload)
	for _, size := range []int{5, 0, 1472, datagram.MaxPayload} {
		want := bytes.Repeat([]byte{byte(size)}, size)
		if n, err := conn.Write(want); n != size || err != nil {
			t.Fatal(n, err)
		}
		if n, err := conn.Read(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Errorf("%d bytes: got %d, %v", size, n, err)
		}
	}
	if _, err := conn.Write(make([]byte, datagram.MaxPayload+1)); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("too long: %v", err)
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
}

// TestUDPErrors: an error of the network or the policy comes with a later call, and ends nothing.
func TestUDPErrors(t *testing.T) {
	conn, err := dialer.Dial("udp", os.Getenv("SOCKMUX_SILENT"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(soon()) // of an open socket: never fails
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 10)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a port without a socket: %v", err)
	}
	if _, err := dialer.Dial("udp", "127.0.0.3:9"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a target that is denied: %v", err)
	}
	socket, err := dialer.ListenPacket(t.Context(), "udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	denied := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3), Port: 9}
	for until := soon(); time.Now().Before(until); time.Sleep(10 * time.Millisecond) { // bounded
		if _, err = socket.WriteTo([]byte("hello"), denied); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EACCES) {
		t.Errorf("a peer that is denied: %v", err)
	}
	if _, err := dialer.ListenPacket(t.Context(), "udp", ":53"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a port: %v", err)
	}
}

// TestListenPacket: one socket, two peers, by address and by name.
func TestListenPacket(t *testing.T) {
	socket, err := dialer.ListenPacket(t.Context(), "udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	_ = socket.SetReadDeadline(soon()) // of an open socket: never fails
	b := make([]byte, 100)
	for _, to := range []net.Addr{address(os.Getenv("SOCKMUX_PACKETS")), address(os.Getenv("SOCKMUX_PACKETS_NAME"))} {
		if _, err := socket.WriteTo([]byte(to.String()), to); err != nil {
			t.Fatal(err)
		}
		n, from, err := socket.ReadFrom(b)
		if err != nil || string(b[:n]) != to.String() || from.String() != to.String() {
			t.Errorf("%q from %v, %v; want it from %s", b[:n], from, err, to)
		}
	}
	if err := socket.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := socket.ReadFrom(b); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read behind Close: %v", err)
	}
}

// address is any net.Addr.
type address string

func (address) Network() string  { return "udp" }
func (a address) String() string { return string(a) }

// TestLookups: names and addresses by the server's DNS.
func TestLookups(t *testing.T) {
	addrs, err := dialer.LookupHost(t.Context(), "named.test")
	slices.Sort(addrs)
	if err != nil || !slices.Equal(addrs, []string{"192.0.2.1", "192.0.2.2"}) {
		t.Errorf("addresses: %v, %v", addrs, err)
	}
	names, err := dialer.LookupAddr(t.Context(), "192.0.2.1")
	if err != nil || !slices.Equal(names, []string{"named.test."}) {
		t.Errorf("names: %v, %v", names, err)
	}
	var none *net.DNSError
	if _, err := dialer.LookupHost(t.Context(), "unknown.test"); !errors.As(err, &none) || !none.IsNotFound || none.Name != "unknown.test" {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := dialer.LookupNetIP(t.Context(), "ip6", "named.test"); !errors.As(err, &none) || !none.IsNotFound {
		t.Errorf("no address of the family: %v", err)
	}
	if _, err := dialer.LookupAddr(t.Context(), "127.0.0.3"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("an address that is denied: %v", err)
	}
}
