package posix_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// peer is a socket of UDP on this machine.
func peer(t *testing.T) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn, netip.MustParseAddrPort(conn.LocalAddr().String())
}

// sendto is a message of that call.
func (p *program) sendto(fd int32, data string, to netip.AddrPort) result {
	p.t.Helper()
	field := make([]byte, calls.AddressSize)
	n := int32(copy(field, calls.AppendAddress(nil, calls.AFInet, to)))
	return p.call(calls.Sendto, words(fd, int32(len(data)), 0, n), field, []byte(data))
}

// TestDatagrams keeps their boundaries, connected and not.
func TestDatagrams(t *testing.T) {
	p := run(t, start(t, "--allow", "127.0.0.1"))
	first, at := peer(t)
	fd := p.socket(2, 2)
	p.is("no address", p.send(fd, 0, []byte("x")), -1, 17, "")
	p.is("nothing yet", p.recv(fd, 9, dontWait), -1, eAGAIN, "")
	waiting := p.start(calls.Recvfrom, words(fd, 100, 0, 16)) // before there is a stream
	for _, text := range []string{"one", "", "three"} {
		p.is("sendto", p.sendto(fd, text, at), int32(len(text)), 0, "")
		b := make([]byte, 100)
		n, from, err := first.ReadFromUDPAddrPort(b)
		if err != nil || string(b[:n]) != text {
			t.Fatalf("%q came, %v", b[:n], err)
		}
		if _, err := first.WriteToUDPAddrPort([]byte("back "+text), from); err != nil {
			t.Fatal(err)
		}
	}
	named := string(calls.AppendAddress(nil, calls.AFInet, at))
	p.is("recvfrom", p.wait(waiting), 8, 0, string(words(8, 16))+"back one"+named)
	p.is("peek", p.recv(fd, 3, peek), 3, 0, "bac")
	p.is("MSG_TRUNC", p.recv(fd, 4, peek|0x20), 5, 0, "back")
	p.is("cut", p.recv(fd, 2, 0), 2, 0, "ba")
	p.is("the next", p.recv(fd, 100, 0), 10, 0, "back three")
	p.is("too long", p.call(calls.Send, words(fd, 65508, 0), make([]byte, 65508)), -1, 35, "")
	p.is("denied", p.sendto(fd, "x", netip.MustParseAddrPort("10.0.0.1:9")), 1, 0, "")
	p.is("which the next call says", p.recv(fd, 100, 0), -1, eACCES, "")
	p.is("bind", p.call(calls.Bind, words(p.socket(2, 2)), address(at)), -1, eACCES, "")
	bound := p.socket(2, 2)
	p.must(calls.Bind, words(bound), address(netip.MustParseAddrPort("0.0.0.0:0")))
	if ap, _ := calls.AddrPort(p.must(calls.Getsockname, words(bound, 16)).extra[4:]); ap.Port() == 0 {
		t.Errorf("bound to %s", ap)
	}

	connected := p.socket(2, 2)
	p.must(calls.Connect, words(connected), address(at))
	p.is("peer", p.call(calls.Getpeername, words(connected, 16)), 0, 0, string(words(16))+named)
	p.is("send", p.send(connected, 0, []byte("hello")), 5, 0, "")
	p.is("to another", p.sendto(connected, "x", at), -1, eISCONN, "")
	b := make([]byte, 100)
	n, from, err := first.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "hello" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	large := strings.Repeat("l", 60_000)
	if _, err := first.WriteToUDPAddrPort([]byte(large), from); err != nil {
		t.Fatal(err)
	}
	p.is("a large one", p.recv(connected, 65507, 0), 60_000, 0, large)
	p.is("SO_RCVTIMEO", p.call(calls.Setsockopt, words(connected, 1, 20, 8, 0, 20_000)), 0, 0, "")
	p.is("recv", p.recv(connected, 1, 0), -1, eAGAIN, "")
	p.is("SO_RCVTIMEO", p.call(calls.Setsockopt, words(connected, 1, 20, 8, 0, 0)), 0, 0, "")
	_ = first.Close()
	for {
		if r := p.send(connected, 0, []byte("x")); r.ret < 0 {
			p.is("refused", r, -1, eCONNREFUSED, "")
			break
		}
	}
	reading := p.start(calls.Recv, words(connected, 1, 0))
	p.call(calls.Shutdown, words(connected, 2))
	if r := p.wait(reading); r.ret > 0 || r.ret < 0 && r.errno != eCONNREFUSED {
		t.Errorf("the recv that close has ended: %+v", r)
	}
}

// TestServer binds, listens and accepts, where the policy allows it.
func TestServer(t *testing.T) {
	s := start(t, "--allow-listen", "127.0.0.1:*")
	p := run(t, s)
	fd := p.socket(2, 1)
	p.is("accept", p.call(calls.Accept, words(fd, 16)), -1, eINVAL, "")
	p.is("another address", p.call(calls.Bind, words(fd), address(netip.MustParseAddrPort("10.0.0.1:7000"))), -1, eACCES, "")
	p.must(calls.Bind, words(fd), address(netip.MustParseAddrPort("127.0.0.1:0")))
	bound, _ := calls.AddrPort(p.must(calls.Getsockname, words(fd, 16)).extra[4:])
	if bound.Port() == 0 {
		t.Fatalf("bound to %s", bound)
	}
	p.is("the same port", p.call(calls.Bind, words(p.socket(2, 1)), address(bound)), -1, 3, "")
	p.is("connect", p.call(calls.Connect, words(fd), address(bound)), -1, eOPNOTSUPP, "")
	p.is("listen", p.call(calls.Listen, words(fd, 5)), 0, 0, "")
	p.is("SO_ACCEPTCONN", p.call(calls.Getsockopt, words(fd, 1, 30, 4)), 0, 0, string(words(1)))
	for i := range 3 {
		accepting := p.start(calls.Accept, words(fd, 16))
		conn, err := net.Dial("tcp", bound.String())
		if err != nil {
			t.Fatal(err)
		}
		r := p.wait(accepting)
		if r.ret < 0 {
			t.Fatalf("accept: errno %d", r.errno)
		}
		if from, _ := calls.AddrPort(r.extra[4:]); from.String() != conn.LocalAddr().String() {
			t.Errorf("from %s, want %s", from, conn.LocalAddr())
		}
		text := fmt.Sprintf("hello %d", i)
		p.is("send", p.send(r.ret, 0, []byte(text)), int32(len(text)), 0, "")
		p.call(calls.Shutdown, words(r.ret, 2))
		if got, err := io.ReadAll(conn); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		_ = conn.Close()
	}
	p.must(calls.Setsockopt, words(fd, 1, 20, 8, 0, 20_000))
	p.is("SO_RCVTIMEO", p.call(calls.Accept, words(fd, 0)), -1, eAGAIN, "")
	p.must(calls.Setsockopt, words(fd, 1, 20, 8, 0, 0))
	accepting := p.start(calls.Accept, words(fd, 0))
	p.is("close", p.call(calls.Shutdown, words(fd, 2)), 0, 0, "")
	p.is("the accept", p.wait(accepting), -1, eINVAL, "")
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("tcp", bound.String())
		if err != nil {
			break
		}
		_ = conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("it listens behind the close")
		}
	}
	other := p.socket(2, 1)
	p.is("listen without bind", p.call(calls.Listen, words(other, 5)), 0, 0, "")
	off := run(t, start(t))
	p = off
	p.is("where it is not allowed", p.call(calls.Listen, words(p.socket(2, 1), 5)), -1, eACCES, "")
}
