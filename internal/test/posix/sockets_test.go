package posix_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// Emscripten's error numbers.
const (
	eACCES       = 2
	eADDRINUSE   = 3
	eAFNOSUPPORT = 5
	eAGAIN       = 6
	eBADF        = 8
	eCONNABORTED = 13
	eCONNREFUSED = 14
	eCONNRESET   = 15
	eDESTADDRREQ = 17
	eINPROGRESS  = 26
	eINVAL       = 28
	eISCONN      = 30
	eMFILE       = 33
	eNOBUFS      = 42
	eNOPROTOOPT  = 50
	eNOSYS       = 52
	eNOTCONN     = 53
	ePIPE        = 64
	eOPNOTSUPP   = 138
)

// Flags of send and recv.
const (
	peek     = 2
	dontWait = 0x40
	waitAll  = 0x100
)

// hold is a target that gives its connection to the test.
func hold(t *testing.T) (netip.AddrPort, <-chan *net.TCPConn) {
	conns := make(chan *net.TCPConn, 8)
	end := make(chan struct{})
	target := product.Target(t, func(conn *net.TCPConn) {
		conns <- conn
		<-end
	})
	t.Cleanup(func() { close(end) })
	return target, conns
}

// TestEcho talks to a target, with each way to receive.
func TestEcho(t *testing.T) {
	s := start(t)
	p := run(t, s)
	target := product.Echo(t)
	fd := p.connected(target)
	if fd < 512 || fd >= 1024 {
		t.Errorf("the handle is %d", fd)
	}
	p.is("peer", p.call(calls.Getpeername, words(fd, 16)), 0, 0, string(address(target)))
	local := p.must(calls.Getsockname, words(fd, 16))
	if ap, ok := calls.AddrPort(local.extra[4:]); !ok || ap.Addr().String() != "127.0.0.1" || ap.Port() == 0 {
		t.Errorf("own address %s", ap)
	}
	p.is("cut peer", p.call(calls.Getpeername, words(fd, 4)), 0, 0, string(append(words(16), 2, 0, byte(target.Port()>>8), byte(target.Port()))))
	p.is("nothing yet", p.recv(fd, 5, dontWait), -1, eAGAIN, "")
	p.is("send", p.send(fd, 0, []byte("hello world")), 11, 0, "")
	p.is("peek", p.recv(fd, 5, peek), 5, 0, "hello")
	p.is("peek again", p.recv(fd, 4, peek|dontWait), 4, 0, "hell")
	p.is("part", p.recv(fd, 6, dontWait), 6, 0, "hello ")
	p.is("the rest", p.recv(fd, 100, 0), 5, 0, "world")
	p.is("nothing wanted", p.recv(fd, 0, dontWait), -1, eAGAIN, "")
	pending := p.start(calls.Recv, words(fd, 6, waitAll))
	p.is("half", p.send(fd, 0, []byte("abc")), 3, 0, "")
	p.is("beside a recv that waits", p.recv(fd, 1, dontWait), -1, eAGAIN, "")
	p.is("other half", p.send(fd, 0, []byte("def")), 3, 0, "")
	p.is("MSG_WAITALL", p.wait(pending), 6, 0, "abcdef")
	p.is("send to recvfrom", p.send(fd, 0, []byte("x")), 1, 0, "")
	p.is("recvfrom", p.call(calls.Recvfrom, words(fd, 9, 0, 0x63736d65)), 1, 0, string(append(words(1, 0), 'x')))
	p.is("shutdown", p.call(calls.Shutdown, words(fd, 1)), 0, 0, "")
	p.is("send behind it", p.send(fd, 0, []byte("x")), -1, ePIPE, "")
	p.is("end", p.recv(fd, 9, 0), 0, 0, "")
	p.is("end again", p.recv(fd, 9, 0), 0, 0, "")
	p.is("close", p.call(calls.Shutdown, words(fd, 2)), 0, 0, "")
	p.is("closed", p.recv(fd, 9, 0), -1, eBADF, "")
	if metric := s.Metric(t, `sockmux_sessions`); metric != 1 {
		t.Errorf("%v sessions", metric)
	}
}

// TestBlockedCallsBlockNoOthers has calls that wait in each direction, and goes on.
func TestBlockedCallsBlockNoOthers(t *testing.T) {
	p := run(t, start(t))
	target, conns := hold(t)
	fd := p.connected(target)
	conn := servertest.Within(t, patience, "a connection", conns)
	reading := p.start(calls.Recv, words(fd, 100, 0))
	data := make([]byte, 1<<20)
	var sent []<-chan result
	for range 12 { // more than the way to the target holds
		sent = append(sent, p.start(calls.Send, words(fd, int32(len(data)), 0), data))
	}
	other := p.connected(product.Echo(t))
	p.is("another socket", p.send(other, 0, []byte("x")), 1, 0, "")
	p.is("another socket", p.recv(other, 1, 0), 1, 0, "x")
	p.is("a send that must not wait", p.send(fd, dontWait, []byte("x")), -1, eAGAIN, "")
	if _, err := conn.Write([]byte("news")); err != nil {
		t.Fatal(err)
	}
	p.is("the recv that waited", p.wait(reading), 4, 0, "news")
	total := make(chan int64, 1)
	go func() { // ends with the connection
		n, _ := io.Copy(io.Discard, conn) // the test sees what it lacks
		total <- n
	}()
	var taken int64
	for _, call := range sent {
		taken += int64(p.wait(call).ret)
	}
	if taken != 12<<20 {
		t.Errorf("%d bytes were taken", taken)
	}
	p.is("close", p.call(calls.Shutdown, words(fd, 2)), 0, 0, "")
	if n := servertest.Within(t, patience, "the end", total); n != taken {
		t.Errorf("%d bytes came of %d", n, taken)
	}
}

// TestErrors has the numbers of Emscripten, which are Linux's errors.
func TestErrors(t *testing.T) {
	p := run(t, start(t))
	refusing := product.Target(t, func(conn *net.TCPConn) {})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := netip.MustParseAddrPort(listener.Addr().String())
	_ = listener.Close() // nothing listens there now
	fd := p.socket(calls.AFInet, 1)
	for _, row := range []struct {
		what  string
		got   result
		errno int32
	}{
		{"a family", p.call(calls.Socket, words(99, 1, 0)), eAFNOSUPPORT},
		{"a type", p.call(calls.Socket, words(2, 99, 0)), eINVAL},
		{"a raw socket", p.call(calls.Socket, words(2, 3, 1)), 63},
		{"a protocol", p.call(calls.Socket, words(2, 1, 17)), 66},
		{"recv", p.recv(fd, 1, 0), eNOTCONN},
		{"send", p.send(fd, 0, []byte("x")), ePIPE},
		{"shutdown", p.call(calls.Shutdown, words(p.socket(2, 1), 1)), eNOTCONN},
		{"shutdown how", p.call(calls.Shutdown, words(fd, 3)), eINVAL},
		{"peer", p.call(calls.Getpeername, words(fd, 16)), eNOTCONN},
		{"refused", p.call(calls.Connect, words(fd), address(gone)), eCONNREFUSED},
		{"port 0", p.call(calls.Connect, words(fd), address(netip.AddrPortFrom(gone.Addr(), 0))), eCONNREFUSED},
		{"denied", p.call(calls.Connect, words(fd), address(netip.MustParseAddrPort("127.0.0.2:7"))), eACCES},
		{"family of an address", p.call(calls.Connect, words(fd), address(netip.MustParseAddrPort("[::1]:7"))), eAFNOSUPPORT},
		{"short address", p.call(calls.Connect, words(fd, 4, 2)), eINVAL},
		{"no handle", p.call(calls.Connect, words(3), address(gone)), eBADF},
		{"option", p.call(calls.Getsockopt, words(fd, 1, 12345, 4)), eNOPROTOOPT},
		{"short option", p.call(calls.Setsockopt, words(fd, 1, 2, 2), []byte{1, 0}), eINVAL},
		{"sendmsg", p.call(calls.Sendmsg), eNOSYS},
		{"recvmsg", p.call(calls.Recvmsg), eNOSYS},
		{"getnameinfo", p.call(calls.Getnameinfo), eNOSYS},
		{"unknown function", p.call(4711), eNOSYS},
		{"short message", p.call(calls.Connect, words(fd)), eINVAL},
		{"claimed length", p.call(calls.Send, words(fd, 1000, 0), []byte("four")), eINVAL},
	} {
		p.is(row.what, row.got, -1, row.errno, "")
	}
	p.must(calls.Connect, words(fd), address(refusing)) // a socket that was refused connects all the same
	p.is("connect twice", p.call(calls.Connect, words(fd), address(refusing)), -1, eISCONN, "")
	p.is("urgent", p.send(fd, 1, []byte("x")), -1, eOPNOTSUPP, "")
}

// TestReset tells a reset once, in either way.
func TestReset(t *testing.T) {
	p := run(t, start(t))
	target, conns := hold(t)
	for _, how := range []string{"recv", "SO_ERROR"} {
		fd := p.connected(target)
		conn := servertest.Within(t, patience, "a connection", conns)
		waits := p.start(calls.Recv, words(fd, 1, peek))
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		p.is("a byte", p.wait(waits), 1, 0, "x")
		p.is("the byte", p.recv(fd, 1, 0), 1, 0, "x")
		_ = conn.SetLinger(0)
		_ = conn.Close()
		if how == "recv" {
			p.is(how, p.recv(fd, 9, 0), -1, eCONNRESET, "")
		} else {
			for deadline := time.Now().Add(patience); ; {
				r := p.must(calls.Getsockopt, words(fd, 1, 4, 4))
				if got := binary.LittleEndian.Uint32(r.extra); got == eCONNRESET {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("SO_ERROR is never set")
				}
			}
		}
		p.is(how+", then the end", p.recv(fd, 9, 0), 0, 0, "")
		p.is(how+", then a pipe", p.send(fd, 0, []byte("x")), -1, ePIPE, "")
	}
}

// TestShutdownWakes ends calls that wait.
func TestShutdownWakes(t *testing.T) {
	p := run(t, start(t))
	target, conns := hold(t)
	fd := p.connected(target)
	conn := servertest.Within(t, patience, "a connection", conns)
	reading := p.start(calls.Recv, words(fd, 1, 0))
	queued := p.start(calls.Recv, words(fd, 1, 0))
	p.is("SHUT_RD", p.call(calls.Shutdown, words(fd, 0)), 0, 0, "")
	p.is("the recv", p.wait(reading), 0, 0, "")
	p.is("the recv behind it", p.wait(queued), 0, 0, "")
	for p.send(fd, dontWait, make([]byte, 1<<20)).ret > 0 { // until nothing more is taken
	}
	full := p.start(calls.Send, words(fd, 1<<20, 0), make([]byte, 1<<20))
	p.is("SHUT_WR", p.call(calls.Shutdown, words(fd, 1)), 0, 0, "")
	if r := p.wait(full); r.ret < 0 && r.errno != ePIPE {
		t.Errorf("the send: %+v", r)
	}
	p.is("send", p.send(fd, 0, []byte("x")), -1, ePIPE, "")
	go func() { _, _ = io.Copy(io.Discard, conn) }() // ends with the connection
	p.is("close", p.call(calls.Shutdown, words(fd, 2)), 0, 0, "")

	closed := p.connected(target)
	last := servertest.Within(t, patience, "a connection", conns)
	reading = p.start(calls.Recv, words(closed, 1, 0))
	p.is("SHUT_RDWR", p.call(calls.Shutdown, words(closed, 2)), 0, 0, "")
	p.is("the recv", p.wait(reading), 0, 0, "")
	if _, err := last.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the target reads %v", err)
	}
}

// TestTimeouts returns EAGAIN behind SO_RCVTIMEO and SO_SNDTIMEO, in each form.
func TestTimeouts(t *testing.T) {
	p := run(t, start(t))
	target, conns := hold(t)
	fd := p.connected(target)
	servertest.Within(t, patience, "a connection", conns)
	for _, form := range [][]byte{words(fd, 1, 20, 8, 0, 50_000), words(fd, 1, 66, 16, 0, 0, 50_000, -1), words(fd, 1, 20, 16, 0, 0, 50_000, 0)} {
		p.is("SO_RCVTIMEO", p.call(calls.Setsockopt, form), 0, 0, "")
		began := time.Now()
		p.is("recv", p.recv(fd, 1, 0), -1, eAGAIN, "")
		if took := time.Since(began); took < 50*time.Millisecond {
			t.Errorf("after %s", took)
		}
	}
	p.is("the short form", p.call(calls.Getsockopt, words(fd, 1, 20, 8)), 0, 0, string(words(0, 50_000)))
	p.is("the long form", p.call(calls.Getsockopt, words(fd, 1, 66, 16)), 0, 0, string(words(0, 0, 50_000, 0)))
	p.is("SO_SNDTIMEO", p.call(calls.Setsockopt, words(fd, 1, 21, 8, 0, 50_000)), 0, 0, "")
	for full := 0; ; full++ {
		r := p.send(fd, 0, make([]byte, 1<<20))
		if r.ret < 0 {
			p.is("send", r, -1, eAGAIN, "")
			break
		}
		if full > 64 {
			t.Fatal("it is never full")
		}
	}
	p.is("a time that is none", p.call(calls.Setsockopt, words(fd, 1, 20, 8, 0, 1e6)), -1, 18, "")
}

// TestOptions sets and gets the options of a socket.
func TestOptions(t *testing.T) {
	p := run(t, start(t))
	fd := p.socket(calls.AFInet6, 1)
	for _, row := range []struct {
		level, option, set, get int32
	}{
		{1, 2, 7, 1}, {1, 9, 1, 1}, {1, 7, 30_000, 60_000}, {1, 8, 1, 2304}, {6, 1, 1, 1}, {6, 4, 33, 33}, {6, 5, 44, 44}, {6, 6, 5, 5}, {41, 26, 1, 1},
	} {
		p.is("setsockopt", p.call(calls.Setsockopt, words(fd, row.level, row.option, 4, row.set)), 0, 0, "")
		p.is("getsockopt", p.call(calls.Getsockopt, words(fd, row.level, row.option, 4)), 0, 0, string(words(row.get)))
	}
	p.is("linger", p.call(calls.Setsockopt, words(fd, 1, 13, 8, 1, 5)), 0, 0, "")
	p.is("linger", p.call(calls.Getsockopt, words(fd, 1, 13, 8)), 0, 0, string(words(1, 5)))
	p.is("SO_TYPE", p.call(calls.Getsockopt, words(fd, 1, 3, 4)), 0, 0, string(words(1)))
	p.is("SO_DOMAIN", p.call(calls.Getsockopt, words(fd, 1, 39, 4)), 0, 0, string(words(10)))
	p.is("SO_PROTOCOL", p.call(calls.Getsockopt, words(fd, 1, 38, 4)), 0, 0, string(words(6)))
	p.is("SO_ERROR", p.call(calls.Getsockopt, words(fd, 1, 4, 4)), 0, 0, string(words(0)))
	p.is("two bytes", p.call(calls.Getsockopt, words(fd, 1, 3, 2)), 0, 0, "\x01\x00")
	p.is("a huge length", p.call(calls.Getsockopt, words(fd, 1, 3, -1)), 0, 0, string(words(1)))
	p.is("a count beyond Linux's", p.call(calls.Setsockopt, words(fd, 6, 6, 4, 128)), -1, eINVAL, "")
}

// TestLinger resets a target where a program asks for that.
func TestLinger(t *testing.T) {
	p := run(t, start(t))
	target, conns := hold(t)
	fd := p.connected(target)
	conn := servertest.Within(t, patience, "a connection", conns)
	p.is("linger", p.call(calls.Setsockopt, words(fd, 1, 13, 8, 1, 0)), 0, 0, "")
	p.is("close", p.call(calls.Shutdown, words(fd, 2)), 0, 0, "")
	if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the target reads %v", err)
	}
}

// TestPair has two ends in the server.
func TestPair(t *testing.T) {
	p := run(t, start(t))
	made := p.must(calls.Socketpair, words(1, 1, 0))
	a, b := int32(binary.LittleEndian.Uint32(made.extra)), int32(binary.LittleEndian.Uint32(made.extra[4:]))
	waits := p.start(calls.Recv, words(b, 9, 0))
	p.is("send", p.send(a, 0, []byte("x")), 1, 0, "")
	p.is("recv", p.wait(waits), 1, 0, "x")
	full := 0
	for {
		r := p.send(a, dontWait, make([]byte, 10_000))
		if r.ret < 0 {
			p.is("a full pair", r, -1, eAGAIN, "")
			break
		}
		full += int(r.ret)
	}
	p.is("shutdown", p.call(calls.Shutdown, words(a, 1)), 0, 0, "")
	p.is("all of it", result{ret: p.recv(b, int32(full), waitAll).ret}, int32(full), 0, "")
	p.is("end", p.recv(b, 1, 0), 0, 0, "")
	p.is("close", p.call(calls.Shutdown, words(a, 2)), 0, 0, "")
	p.is("broken", p.send(b, 0, []byte("x")), -1, ePIPE, "")
	p.is("of IPv4", p.call(calls.Socketpair, words(2, 1, 0)), -1, eOPNOTSUPP, "")
}

// TestCutNames answers calls whose messages do not hold their numbers.
func TestCutNames(t *testing.T) {
	p := run(t, start(t))
	p.is("the first message", func() result { w := p.expect(); p.write(nil); return p.wait(w) }(), -1, eOPNOTSUPP, "")
	target, conns := hold(t)
	fd := p.connected(target)
	servertest.Within(t, patience, "a connection", conns)
	reading := p.start(calls.Recv, words(fd, 1, 0))
	lost := p.expect()
	p.write(nil)
	next := p.start(calls.Socket, words(2, 1, 0)) // of another thread, meanwhile
	p.is("cut to nothing", p.wait(lost), -1, eOPNOTSUPP, "")
	if p.wait(next).ret < 0 {
		t.Error("the call of another thread")
	}
	for _, kept := range []int{4, 8, 11} {
		id := p.expect()
		p.write(append(words(p.last), words(8, fd, 0)...)[:kept])
		r := p.wait(id)
		p.is("cut", r, -1, eOPNOTSUPP, "")
		if len(r.extra) < 4 {
			t.Errorf("a result of %d bytes", 12+len(r.extra))
		}
	}
	id := p.expect()
	p.write(append(words(p.last), words(9, fd)...)) // of 252 bytes
	p.is("with its handle", p.wait(id), 0, 0, string(address(target)))
	id = p.expect()
	p.write(append(words(p.last), append(words(9, fd, 300), make([]byte, 44)...)...))
	p.is("with bytes of others", p.wait(id), 0, 0, string(address(target)))
	select {
	case <-reading:
		t.Error("the recv was answered")
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.surplus) > 0 {
		t.Errorf("results of nothing: %v", p.surplus)
	}
}

// TestLookup finds addresses by the server's resolver.
func TestLookup(t *testing.T) {
	p := run(t, start(t))
	lookup := func(node, service string, hints ...int32) result {
		fields := make([]byte, 2048+128)
		copy(fields, node)
		copy(fields[2048:], service)
		return p.call(calls.Getaddrinfo, fields, words(append(hints, 0, 0, 0, 0, 0)[:5]...))
	}
	entries := func(r result) (list []netip.AddrPort) {
		if len(r.extra) < 2052 {
			t.Fatalf("a result of %d bytes", len(r.extra))
		}
		b := r.extra[2052:]
		for range binary.LittleEndian.Uint32(r.extra[2048:]) {
			n := binary.LittleEndian.Uint32(b[16:])
			ap, _ := calls.AddrPort(b[20 : 20+n])
			list = append(list, ap)
			b = b[20+n:]
		}
		if len(b) > 0 {
			t.Errorf("%d bytes too many", len(b))
		}
		return list
	}
	r := lookup("localhost", "80", 1, 2, 2, 1)
	if list := entries(r); r.ret != 0 || len(list) != 1 || list[0].String() != "127.0.0.1:80" || !bytes.HasPrefix(r.extra, []byte("localhost\x00")) {
		t.Errorf("%d, %v, %q", r.ret, list, r.extra[:12])
	}
	if list := entries(lookup("127.1", "http")); len(list) != 2 || list[1].String() != "127.0.0.1:80" {
		t.Errorf("%v", list)
	}
	if list := entries(lookup("", "7", 1, 1, 10, 1)); len(list) != 1 || list[0].String() != "[::]:7" {
		t.Errorf("%v", list)
	}
	if list := entries(lookup("1.2.3.4", "", 1, 8, 10, 2)); len(list) != 1 || list[0].String() != "[::ffff:1.2.3.4]:0" {
		t.Errorf("%v", list)
	}
	for _, row := range []struct {
		r    result
		want int32
	}{
		{lookup("no.such.name.invalid", ""), -2},
		{lookup("", ""), -2},
		{lookup("localhost", "no-such-service"), -8},
		{lookup("localhost", "", 1, 0x4000), -1},
		{lookup("localhost", "", 1, 0, 77), -6},
		{lookup("localhost", "", 1, 0, 0, 3), -7},
		{lookup("localhost", "", 1, 4), -2},
		{p.call(calls.Getaddrinfo, []byte("short")), -11},
	} {
		if row.r.ret != row.want || len(row.r.extra) < 2052 {
			t.Errorf("%d, %d bytes; want %d", row.r.ret, len(row.r.extra), row.want)
		}
	}
}
