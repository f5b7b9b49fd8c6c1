package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/shared/wire"
)

// patience is for what must happen; a test that needs it has failed.
const patience = 20 * time.Second

// lookup is a Resolver of a world without aliases.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (l lookup) Lookup(ctx context.Context, network, host string) (resolver.Answer, error) {
	addrs, err := l(ctx, network, host)
	return resolver.Answer{Addrs: addrs, TTL: time.Minute}, err
}

// answers is a Resolver with fixed answers.
func answers(addrs ...string) lookup {
	return func(context.Context, string, string) ([]netip.Addr, error) {
		var list []netip.Addr
		for _, addr := range addrs {
			list = append(list, netip.MustParseAddr(addr))
		}
		return list, nil
	}
}

func rules(t *testing.T, allow ...string) *policy.Policy {
	t.Helper()
	var list []policy.Rule
	for _, text := range allow {
		rule, err := policy.ParseRule(true, text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rule)
	}
	return policy.New(list)
}

// target is a listener on loopback whose connections go to serve, which owns them.
type target struct {
	net.Listener
	addr netip.AddrPort
}

func listen(t *testing.T, serve func(*net.TCPConn)) target {
	t.Helper()
	return listenWith(t, net.ListenConfig{}, serve)
}

// listenWith is listen for sockets with options of their own.
func listenWith(t *testing.T, config net.ListenConfig, serve func(*net.TCPConn)) target {
	t.Helper()
	listener, err := config.Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			serve(conn.(*net.TCPConn))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return target{listener, listener.Addr().(*net.TCPAddr).AddrPort()}
}

// refusing is a target that is not there.
func refusing(t *testing.T) target {
	t.Helper()
	return target{addr: netip.MustParseAddrPort(servertest.Refusing(t))}
}

// serving is a stream that is being served.
type serving struct {
	*page
	relay *Relay
	done  chan struct{}
}

// serve serves a stream to host and port; the test ends when Serve has returned.
func serve(t *testing.T, ctx context.Context, r *Relay, host string, port uint16) serving {
	t.Helper()
	return serveOn(t, ctx, r, r.defaults, host, port)
}

// serveOn is serve on terms.
func serveOn(t *testing.T, ctx context.Context, r *Relay, terms Terms, host string, port uint16) serving {
	t.Helper()
	return serveRequest(t, ctx, r, terms, wire.Request{Kind: wire.TCP, Host: wire.ParseHost(host), Port: port})
}

// serveRequest is serveOn for a stream of any kind.
func serveRequest(t *testing.T, ctx context.Context, r *Relay, terms Terms, request wire.Request) serving {
	t.Helper()
	s := serving{newPage(t, request), r, make(chan struct{})}
	go func() {
		defer close(s.done)
		r.ServeOn(ctx, s.page, terms)
	}()
	t.Cleanup(func() {
		if !t.Failed() {
			s.wait()
			return
		}
		s.reset(wire.Aborted)
		<-s.done
	})
	return s
}

func (s serving) wait() {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Error("Serve does not return")
	}
}

// want fails unless the request is answered with this code, and returns the answer.
func (s serving) want(code wire.Code) wire.Result {
	s.t.Helper()
	select {
	case result := <-s.result:
		if result.Code != code {
			s.t.Fatalf("answer %v (%s); want %v", result.Code, result.Text, code)
		}
		return result
	case <-time.After(patience):
		s.t.Fatal("no answer")
		return wire.Result{}
	}
}

func local(t *testing.T, config Config) *Relay {
	t.Helper()
	if config.Policy == nil {
		config.Policy = rules(t, "127.0.0.0/8", "::1")
	}
	if config.Events == nil {
		config.Events = new(recorder)
	}
	return New(config)
}

func TestAnswerNamesBothEnds(t *testing.T) {
	peer := make(chan netip.AddrPort, 1)
	target := listen(t, func(conn *net.TCPConn) { peer <- conn.RemoteAddr().(*net.TCPAddr).AddrPort() })
	s := serve(t, t.Context(), local(t, Config{}), "127.0.0.1", target.addr.Port())
	result := s.want(wire.OK)
	if result.Remote != target.addr || result.Bound != <-peer {
		t.Errorf("answer %+v; want remote %s and the bound address that the target sees", result, target.addr)
	}
	s.fin()
}

func TestRefused(t *testing.T) {
	target := refusing(t)
	s := serve(t, t.Context(), local(t, Config{}), "127.0.0.1", target.addr.Port())
	result := s.want(wire.Refused)
	if want := target.addr.String() + ": the target refused the connection"; result.Text != want || result.Remote != target.addr {
		t.Errorf("answer %+v; want %q and the remote address", result, want)
	}
	s.wait()
	if !s.closed {
		t.Error("the stream is not closed")
	}
}

func TestDenied(t *testing.T) {
	target := listen(t, func(*net.TCPConn) { t.Error("the target was dialed") })
	resolver := lookup(func(_ context.Context, _, host string) ([]netip.Addr, error) {
		if host == "denied.example" {
			t.Error("a denied name was resolved")
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	})
	deny, err := policy.ParseRule(false, "denied.example")
	if err != nil {
		t.Fatal(err)
	}
	r := New(Config{Policy: policy.New([]policy.Rule{deny}), Resolver: resolver})
	for _, test := range []struct {
		host string
		code wire.Code
		says string
	}{
		{"127.0.0.1", wire.Denied, "loopback"},
		{"rebind.example", wire.Denied, "at 127.0.0.1"},
		{"denied.example", wire.Denied, "deny denied.example"},
		{"172.29.3.4", wire.FakeAddress, "fake DNS"},
		{"127.1", wire.InvalidRequest, "ends in a number"},
		{"::ffff:127.0.0.1", wire.Denied, "IPv4-mapped"},
	} {
		s := serve(t, t.Context(), r, test.host, target.addr.Port())
		if result := s.want(test.code); !strings.Contains(result.Text, test.says) {
			t.Errorf("%s: %q; want %q in it", test.host, result.Text, test.says)
		}
	}
	serve(t, t.Context(), r, "example.org", 0).want(wire.InvalidRequest)

	other := newPage(t, wire.Request{Kind: wire.WebSocket, Host: wire.ParseHost("127.0.0.1"), Port: 53})
	r.Serve(t.Context(), other)
	if got := (<-other.result).Code; got != wire.Denied {
		t.Errorf("websocket: %v; want denied", got)
	}
}

// The hook of the dialer is the last word, also when everything before it has let the address pass.
func TestDeniedAtTheAddressDialled(t *testing.T) {
	target := listen(t, func(*net.TCPConn) { t.Error("the target was dialed") })
	conn, err := New(Config{Policy: policy.New(nil)}).on(Terms{}).dial(t.Context(), wire.ParseHost("public.example"), nil, target.addr)
	if codeOf(err) != wire.Denied {
		t.Errorf("dial gave %v, %v; want denied", conn, err)
	}
}

func TestNameThatChangesItsAddress(t *testing.T) {
	target := listen(t, func(*net.TCPConn) {})
	calls := 0
	resolver := lookup(func(context.Context, string, string) ([]netip.Addr, error) {
		calls++
		if calls == 1 {
			return []netip.Addr{netip.MustParseAddr("::ffff:127.0.0.1")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
	})
	r := New(Config{Policy: rules(t, "127.0.0.1"), Resolver: resolver})
	first := serve(t, t.Context(), r, "rebind.example", target.addr.Port())
	first.want(wire.OK)
	first.fin()
	first.wait()
	if calls != 1 {
		t.Errorf("%d lookups for one stream; want 1", calls)
	}
	serve(t, t.Context(), r, "rebind.example", target.addr.Port()).want(wire.Denied)
}

func TestDialTimeout(t *testing.T) {
	resolver := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, &net.DNSError{Err: ctx.Err().Error(), Name: "slow.example", IsTimeout: true}
	})
	result := serve(t, t.Context(), local(t, Config{Resolver: resolver, DialTimeout: 10 * time.Millisecond}), "slow.example", 80).want(wire.TimedOut)
	if want := "resolving slow.example took too long"; result.Text != want {
		t.Errorf("%q; want %q", result.Text, want)
	}
	p := newPage(t, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("slow.example"), Port: 80, Timeout: 10 * time.Millisecond})
	local(t, Config{Resolver: resolver, DialTimeout: patience}).Serve(t.Context(), p)
	if got := (<-p.result).Code; got != wire.TimedOut {
		t.Errorf("timeout of the request: %v; want timed_out", got)
	}
}

func TestPageGivesUpWhileDialling(t *testing.T) {
	asked := make(chan struct{})
	resolver := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	s := serve(t, t.Context(), local(t, Config{Resolver: resolver, DialTimeout: time.Hour}), "slow.example", 80)
	<-asked
	s.reset(wire.Aborted)
	s.want(wire.Aborted)
}

func TestEndOfContext(t *testing.T) {
	target := listen(t, untilEnd)
	ctx, cancel := context.WithCancelCause(t.Context())
	s := serve(t, ctx, local(t, Config{}), "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	cancel(wire.NewError(wire.Draining, "the server restarts"))
	_, err := s.recvAll()
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != wire.Draining || e.Text != "the server restarts" {
		t.Errorf("page got %v; want draining with its text", err)
	}
	s.wait()

	ended, cancelEnded := context.WithCancel(t.Context())
	cancelEnded()
	serve(t, ended, local(t, Config{}), "127.0.0.1", target.addr.Port()).want(wire.Aborted)
}

func TestIdle(t *testing.T) {
	ends := make(chan error, 1)
	target := listen(t, func(conn *net.TCPConn) {
		_, err := conn.Read(make([]byte, 1))
		ends <- err
	})
	s := serve(t, t.Context(), local(t, Config{IdleTimeout: 30 * time.Millisecond}), "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	if _, err := s.recvAll(); codeOf(err) != wire.Idle {
		t.Errorf("page got %v; want idle", err)
	}
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v; want a reset", err)
	}
}

func TestFigures(t *testing.T) {
	target := listen(t, echo)
	r := local(t, Config{Resolver: answers("127.0.0.1")})
	s := serve(t, t.Context(), r, "echo.example", target.addr.Port())
	if err := s.send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := s.recv(5); got != "hello" {
		t.Fatalf("echo %q", got)
	}
	list, all := r.Streams(10)
	if all != 1 || len(list) != 1 || r.Active() != 1 {
		t.Fatalf("%d of %d streams", len(list), all)
	}
	if l := list[0]; l.State != StateOpen || l.Target != s.request.Target() || l.Remote != target.addr || l.Up != 5 || l.Began.IsZero() || l.Opened <= 0 {
		t.Errorf("%+v", l)
	}
	s.fin()
	s.wait()
	serve(t, t.Context(), r, "10.0.0.1", 80).wait()

	ends := r.events.(*recorder).ends()
	if len(ends) != 2 {
		t.Fatalf("%d ends: %+v", len(ends), ends)
	}
	if e := ends[0]; e.Request.Host.Name() != "echo.example" || e.Remote != target.addr || e.Code != wire.OK || e.Err != nil || e.Up != 5 || e.Down != 5 || e.Duration <= 0 {
		t.Errorf("%+v", e)
	}
	if e := ends[1]; e.Code != wire.Denied || !strings.Contains(e.Err.Error(), "private") || e.Request.Target() != "10.0.0.1:80" {
		t.Errorf("%+v", e)
	}
	if up, down := r.Bytes(); r.Active() != 0 || up != 5 || down != 5 {
		t.Errorf("%d active, %d and %d bytes", r.Active(), up, down)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	r := local(t, Config{})
	for range 5 {
		s := serve(t, t.Context(), r, "127.0.0.1", listen(t, untilEnd).addr.Port())
		s.want(wire.OK)
		t.Cleanup(s.fin)
	}
	list, all := r.Streams(2)
	if all != 5 || len(list) != 2 || list[0].Number >= list[1].Number {
		t.Errorf("%d of %d: %+v", len(list), all, list)
	}
}

func TestNewWantsPolicy(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("New made a relay without a policy")
		}
	}()
	New(Config{})
}
