package posix_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// TestBoundDatagrams: a program binds a port of its choice, strangers send to it, and it answers.
func TestBoundDatagrams(t *testing.T) {
	p := run(t, start(t, "--allow-listen", "udp://127.0.0.1:*"))
	fd := p.socket(2, 2)
	p.is("another address", p.call(calls.Bind, words(fd), address(netip.MustParseAddrPort("10.0.0.1:7000"))), -1, eACCES, "")
	p.must(calls.Bind, words(fd), address(netip.MustParseAddrPort("127.0.0.1:0")))
	bound, ok := calls.AddrPort(p.must(calls.Getsockname, words(fd, 16)).extra[4:])
	if !ok || bound.Port() == 0 || bound.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Fatalf("bound to %s", bound)
	}
	p.is("bind again", p.call(calls.Bind, words(fd), address(bound)), -1, eINVAL, "")
	p.is("the same port", p.call(calls.Bind, words(p.socket(2, 2)), address(bound)), -1, eADDRINUSE, "")

	first, firstAt := peer(t)
	second, secondAt := peer(t)
	named := func(ap netip.AddrPort) string { return string(calls.AppendAddress(nil, calls.AFInet, ap)) }
	is := func(what, want string, from netip.AddrPort) {
		t.Helper()
		p.is(what, p.call(calls.Recvfrom, words(fd, 100, 0, 16)), int32(len(want)), 0, string(words(int32(len(want)), 16))+want+named(from))
	}
	sends := func(conn *net.UDPConn, text string) {
		t.Helper()
		if _, err := conn.WriteToUDPAddrPort([]byte(text), bound); err != nil {
			t.Fatal(err)
		}
	}
	comes := func(conn *net.UDPConn, want string) {
		t.Helper()
		b := make([]byte, 100)
		if n, from, err := conn.ReadFromUDPAddrPort(b); err != nil || string(b[:n]) != want || from != bound {
			t.Errorf("%q of %s, %v; want %q of %s", b[:n], from, err, want, bound)
		}
	}
	for conn, from := range map[*net.UDPConn]netip.AddrPort{first: firstAt, second: secondAt} {
		sends(conn, "question")
		is("a stranger", "question", from)
		p.is("answer", p.sendto(fd, "answer", from), 6, 0, "")
		comes(conn, "answer")
	}

	// connect keeps the port, and takes datagrams of that peer only.
	p.is("connect", p.call(calls.Connect, words(fd), address(firstAt)), 0, 0, "")
	p.is("peer", p.call(calls.Getpeername, words(fd, 16)), 0, 0, string(words(16))+named(firstAt))
	p.is("own address", p.call(calls.Getsockname, words(fd, 16)), 0, 0, string(words(16))+named(bound))
	p.is("send", p.send(fd, 0, []byte("connected")), 9, 0, "")
	comes(first, "connected")
	p.is("to another", p.sendto(fd, "x", secondAt), -1, eISCONN, "")
	sends(second, "of another")
	sends(first, "of the peer")
	is("the peer alone", "of the peer", firstAt)
	p.is("AF_UNSPEC", p.call(calls.Connect, words(fd, 16), make([]byte, 16)), 0, 0, "")
	sends(second, "again")
	is("anyone", "again", secondAt)
	p.is("send to no peer", p.send(fd, 0, []byte("x")), -1, eDESTADDRREQ, "")

	p.call(calls.Shutdown, words(fd, 2)) // closes
	again := p.socket(2, 2)
	servertest.Eventually(t, patience, "the port is free", func() bool {
		return p.call(calls.Bind, words(again), address(bound)).ret == 0
	})
}

// TestBoundDatagramsDenied: a program binds no port that no rule names for UDP.
func TestBoundDatagramsDenied(t *testing.T) {
	p := run(t, start(t, "--allow-listen", "tcp://127.0.0.1:*", "--allow-listen", "udp://127.0.0.1:5000"))
	for _, port := range []string{"127.0.0.1:5001", "0.0.0.0:5001", "127.0.0.2:0"} {
		p.is(port, p.call(calls.Bind, words(p.socket(2, 2)), address(netip.MustParseAddrPort(port))), -1, eACCES, "")
	}
}
