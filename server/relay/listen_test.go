package relay

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/budget"
	records "github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// listener is a client that may listen, with a session of its own.
type listener struct {
	t      *testing.T
	client *mux.Session
	server *mux.Session
}

// mayListen opens the session of that number on terms, whose Listen is 127.0.0.1:* if it is nil.
func mayListen(t *testing.T, r *Relay, number uint64, terms Terms) listener {
	t.Helper()
	if terms.Listen == nil {
		terms.Listen = allowListen(t, "127.0.0.1:*")
	}
	terms.Client = events.Client{Number: number}
	client, server := sessionOf(t, func(ctx context.Context, s *mux.Stream) { r.Start(ctx, s, terms, s.Detach()) })
	return listener{t, client, server}
}

func allowListen(t *testing.T, texts ...string) (rules policy.ListenRules) {
	t.Helper()
	for _, text := range texts {
		rule, err := policy.ParseListenRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	return rules
}

func (l listener) open(request wire.Request) (*mux.Stream, wire.Result) {
	l.t.Helper()
	stream, err := l.client.Open(request)
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	result, err := stream.Result(ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	return stream, result
}

// listen listens on any address and port that is allowed.
func (l listener) listen(backlog int) (*mux.Stream, netip.AddrPort) {
	l.t.Helper()
	stream, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost("0.0.0.0")})
	if result.Code != wire.OK || result.Bound.Addr() != netip.MustParseAddr("127.0.0.1") || result.Bound.Port() == 0 || result.Remote.IsValid() {
		l.t.Fatalf("%+v", result)
	}
	if _, err := stream.Write(records.AppendBacklog(nil, backlog)); err != nil {
		l.t.Fatal(err)
	}
	return stream, result.Bound
}

func (l listener) record(stream *mux.Stream) records.Record {
	l.t.Helper()
	stream.SetReadDeadline(time.Now().Add(patience))
	record, err := records.Read(stream)
	if err != nil {
		l.t.Fatal(err)
	}
	return record
}

func (l listener) accept(number uint16) (*mux.Stream, wire.Result) {
	l.t.Helper()
	return l.open(wire.Request{Kind: wire.Accept, Port: number})
}

// dialTo connects as a host does that is no client of ours.
func dialTo(t *testing.T, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// wantReset fails unless the other end resets the connection.
func wantReset(t *testing.T, conn net.Conn) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes, %v; want a reset", n, err)
	}
}

// free waits until a port can be bound.
func free(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	servertest.Eventually(t, patience, "the port is free", func() bool {
		l, err := net.Listen("tcp", addr.String())
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
}

// An incoming connection is announced, accepted once, by its own session, and carried both ways
// with a half-close.
func TestListen(t *testing.T) {
	r := local(t, Config{})
	l, other := mayListen(t, r, 1, Terms{}), mayListen(t, r, 2, Terms{})
	stream, bound := l.listen(5)
	outside := dialTo(t, bound)
	record := l.record(stream)
	if record.Remote != addrPort(outside.LocalAddr()) {
		t.Errorf("record %+v, the other end is %s", record, outside.LocalAddr())
	}
	if _, result := other.accept(record.Number); result.Code != wire.Aborted {
		t.Errorf("another session: %+v", result)
	}
	if _, result := l.accept(record.Number + 1); result.Code != wire.Aborted {
		t.Errorf("a number that is none: %+v", result)
	}
	conn, result := l.accept(record.Number)
	if result.Code != wire.OK || result.Remote != record.Remote || result.Bound != bound {
		t.Fatalf("%+v", result)
	}
	if _, again := l.accept(record.Number); again.Code != wire.Aborted {
		t.Errorf("accepted twice: %+v", again)
	}
	if listeners, waiting := r.Listeners(); listeners != 1 || waiting != 0 {
		t.Errorf("%d listeners, %d connections", listeners, waiting)
	}
	_, _ = outside.Write([]byte("question")) // what comes of it is read
	_ = outside.CloseWrite()
	if b, err := io.ReadAll(conn); err != nil || string(b) != "question" {
		t.Errorf("%q, %v", b, err)
	}
	_, _ = conn.Write([]byte("answer")) // likewise
	_ = conn.CloseWrite()
	if b, err := io.ReadAll(outside); err != nil || string(b) != "answer" {
		t.Errorf("%q, %v", b, err)
	}
	_ = stream.CloseWrite()
	if b, err := io.ReadAll(stream); err != nil || len(b) > 0 {
		t.Errorf("behind the client's FIN: %d bytes, %v", len(b), err)
	}
	free(t, bound)
	servertest.Eventually(t, patience, "all streams end cleanly", func() bool { return r.Active() == 0 && ended(r)[wire.OK] == 2 })
}

func TestListenIsRefused(t *testing.T) {
	taken := listen(t, echo)
	for _, c := range []struct {
		name, host string
		port       uint16
		rules      []string
		want       wire.Code
	}{
		{"no rule", "127.0.0.1", 0, []string{}, wire.Denied},
		{"another port", "127.0.0.1", 81, []string{"127.0.0.1:80"}, wire.Denied},
		{"in use", "127.0.0.1", taken.addr.Port(), []string{"127.0.0.1:*"}, wire.AddressInUse},
		{"the only port is in use", "127.0.0.1", 0, []string{"127.0.0.1:" + portText(taken.addr)}, wire.AddressInUse},
		{"not this machine's", "192.0.2.1", 8080, []string{"*:*"}, wire.AddressNotAvailable},
		{"a name", "localhost", 8080, []string{"*:*"}, wire.InvalidRequest},
	} {
		l := mayListen(t, local(t, Config{}), 1, Terms{Listen: append(policy.ListenRules{}, allowListen(t, c.rules...)...)})
		stream, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost(c.host), Port: c.port})
		if result.Code != c.want {
			t.Errorf("%s: %+v, want %s", c.name, result, c.want)
		}
		_ = stream.Close() // it has ended
	}
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{MaxListeners: 2})
	first, _ := l.listen(1)
	l.listen(1)
	if _, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost("0.0.0.0")}); result.Code != wire.Limit {
		t.Errorf("beyond --max-listeners: %+v", result)
	}
	mayListen(t, r, 2, Terms{MaxListeners: 2}).listen(1) // an honest neighbor
	_ = first.Close()
	servertest.Eventually(t, patience, "a closed listener makes room", func() bool {
		_, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost("0.0.0.0")})
		return result.Code == wire.OK
	})
}

func portText(addr netip.AddrPort) string {
	_, port, _ := net.SplitHostPort(addr.String())
	return port
}

// A client leaves its choice of port to the server, which keeps to the rule's range.
func TestListenInARange(t *testing.T) {
	taken := listen(t, echo)
	first := taken.addr.Port()
	if first > 65000 {
		first -= 100
	}
	rule := netip.AddrPortFrom(taken.addr.Addr(), first).String() + "-" + portText(netip.AddrPortFrom(taken.addr.Addr(), first+100))
	l := mayListen(t, local(t, Config{}), 1, Terms{Listen: allowListen(t, rule)})
	for range 3 {
		if _, bound := l.listen(1); bound.Port() < first || bound.Port() > first+100 {
			t.Errorf("bound %s, the rule is %s", bound, rule)
		}
	}
}

// However a listener ends, its port is free at once and the connections that wait are reset.
func TestListenerEnds(t *testing.T) {
	for name, end := range map[string]func(r *Relay, l listener, stream *mux.Stream){
		"closed":           func(_ *Relay, _ listener, stream *mux.Stream) { _ = stream.Close() },
		"reset":            func(_ *Relay, _ listener, stream *mux.Stream) { _ = stream.Reset(wire.Aborted, "") },
		"the session lost": func(_ *Relay, l listener, _ *mux.Stream) { l.server.Close() },
		"drain":            func(r *Relay, _ listener, _ *mux.Stream) { r.StopListening() },
	} {
		t.Run(name, func(t *testing.T) {
			r := local(t, Config{})
			l := mayListen(t, r, 1, Terms{})
			stream, bound := l.listen(5)
			announced := dialTo(t, bound)
			number := l.record(stream).Number
			end(r, l, stream)
			wantReset(t, announced)
			free(t, bound)
			servertest.Eventually(t, patience, "nothing is left", func() bool {
				listeners, waiting := r.Listeners()
				return r.Active() == 0 && listeners == 0 && waiting == 0
			})
			if name != "drain" {
				return
			}
			if _, err := records.Read(stream); !errors.Is(err, wire.NewError(wire.Draining, "")) {
				t.Errorf("the client is told %v", err)
			}
			if _, result := l.accept(number); result.Code != wire.Aborted {
				t.Errorf("%+v", result)
			}
			if _, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost("127.0.0.1")}); result.Code != wire.Draining {
				t.Errorf("a listener that comes later: %+v", result)
			}
		})
	}
}

// A stranger that fills the backlog holds a bounded number of descriptors. What is accepted makes
// room for those that wait in the system.
func TestBacklogIsBounded(t *testing.T) {
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{})
	stream, bound := l.listen(1 << 20)
	const strangers = 3 * maxAnnounced
	for range strangers {
		dialTo(t, bound)
	}
	servertest.Eventually(t, patience, "the window fills", func() bool {
		_, waiting := r.Listeners()
		return waiting == maxAnnounced
	})
	for range strangers {
		if _, waiting := r.Listeners(); waiting > maxAnnounced {
			t.Fatalf("%d connections wait", waiting)
		}
		conn, result := l.accept(l.record(stream).Number)
		if result.Code != wire.OK {
			t.Fatalf("%+v", result)
		}
		_ = conn.Reset(wire.Aborted, "") // never fails
	}
}

// While the session has its share of the server's descriptors, no connection is taken from the
// system.
func TestIncomingCountAsSockets(t *testing.T) {
	sockets := budget.New(2, 0)
	account := sockets.Account()
	defer account.Close()
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{Sockets: account})
	stream, bound := l.listen(10)
	for range 8 {
		dialTo(t, bound)
	}
	servertest.Eventually(t, patience, "the share is used up", account.Over)
	held := account.Held()
	if held > 3 {
		t.Errorf("%d descriptors are held of 2", held)
	}
	for range 8 {
		if _, result := l.accept(l.record(stream).Number); result.Code != wire.OK {
			t.Fatalf("%+v", result)
		}
	}
	if held := account.Held(); held != 0 {
		t.Errorf("%d descriptors are held", held)
	}
}

// A connection that ends before it is accepted is accepted all the same, and ends as it did.
func TestGoneBeforeAccepted(t *testing.T) {
	l := mayListen(t, local(t, Config{}), 1, Terms{})
	stream, bound := l.listen(5)
	outside := dialTo(t, bound)
	_, _ = outside.Write([]byte("hello")) // the end is what counts
	record := l.record(stream)
	_ = outside.SetLinger(0)
	_ = outside.Close()
	conn, result := l.accept(record.Number)
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	if _, err := io.ReadAll(conn); !errors.Is(err, wire.NewError(wire.Reset, "")) {
		t.Errorf("%v, want a reset", err)
	}
	late := dialTo(t, bound)
	_, _ = late.Write([]byte("hello")) // as above
	_ = late.Close()
	conn, _ = l.accept(l.record(stream).Number)
	if b, err := io.ReadAll(conn); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
}

// What is not accepted in time is reset, and makes room.
func TestNotAcceptedInTime(t *testing.T) {
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{IdleTimeout: 50 * time.Millisecond})
	stream, bound := l.listen(1)
	first, second := dialTo(t, bound), dialTo(t, bound)
	number := l.record(stream).Number
	wantReset(t, first)
	if _, result := l.accept(number); result.Code != wire.Aborted {
		t.Errorf("%+v", result)
	}
	wantReset(t, second)
	if _, bound2 := l.listen(1); bound2 == bound {
		t.Error("the listener has ended, which was idle")
	}
}

// Without a backlog nothing is accepted: the client has bound, and does not listen yet.
func TestBoundOnly(t *testing.T) {
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{})
	stream, result := l.open(wire.Request{Kind: wire.Listen, Host: wire.ParseHost("127.0.0.1")})
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	dialTo(t, result.Bound)
	_, _ = stream.Write(records.AppendBacklog(nil, 3)[:3]) // is taken
	if _, waiting := r.Listeners(); waiting != 0 {
		t.Errorf("%d connections wait", waiting)
	}
	_, _ = stream.Write(records.AppendBacklog(nil, 3)[3:]) // likewise
	l.record(stream)
}

// A client that accepts and closes the listener at once has its connection: its accept stream may
// be served behind the FIN of the listener. What it has not accepted is reset all the same.
func TestAcceptedBeforeTheEnd(t *testing.T) {
	r := local(t, Config{})
	l := mayListen(t, r, 1, Terms{})
	stream, bound := l.listen(5)
	first, second := dialTo(t, bound), dialTo(t, bound)
	record := l.record(stream)
	l.record(stream)
	_ = stream.Close() // the server sees it first
	if _, err := io.ReadAll(stream); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	free(t, bound)
	conn, result := l.accept(record.Number)
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	accepted, other := first, second
	if record.Remote != addrPort(first.LocalAddr()) {
		accepted, other = second, first
	}
	_, _ = conn.Write([]byte("hello")) // is read
	_ = conn.CloseWrite()
	if b, err := io.ReadAll(accepted); err != nil || string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
	_ = accepted.Close()
	wantReset(t, other)
	servertest.Eventually(t, patience, "nothing is left", func() bool {
		listeners, waiting := r.Listeners()
		return listeners == 0 && waiting == 0 && r.Active() == 0
	})
}
