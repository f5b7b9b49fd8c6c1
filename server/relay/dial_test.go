package relay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/wire"
)

// attempts is a dialer of fake targets: what each address does, after how long.
type attempts struct {
	mu    sync.Mutex // protects began and open
	began map[netip.AddrPort]time.Duration
	start time.Time
	plans map[netip.AddrPort]plan
	open  []*fakeConn
}

type plan struct {
	after    time.Duration // 0 with nothing else: never answers
	err      error
	stubborn bool // connects although it was canceled
}

type fakeConn struct {
	egress.Conn
	addr   netip.AddrPort
	closed bool
}

func (c *fakeConn) Close() error {
	c.closed = true
	return nil
}

func (a *attempts) dial(ctx context.Context, addr netip.AddrPort) (egress.Conn, error) {
	a.mu.Lock()
	a.began[addr] = time.Since(a.start)
	a.mu.Unlock()
	plan := a.plans[addr]
	done := ctx.Done()
	if plan.stubborn {
		done = nil
	}
	var answer <-chan time.Time
	if plan.after > 0 {
		answer = time.After(plan.after)
	}
	select {
	case <-answer:
	case <-done:
		return nil, context.Cause(ctx)
	}
	if plan.err != nil {
		return nil, plan.err
	}
	conn := &fakeConn{addr: addr}
	a.mu.Lock()
	a.open = append(a.open, conn)
	a.mu.Unlock()
	return conn, nil
}

func TestRace(t *testing.T) {
	addrs := []netip.AddrPort{
		netip.MustParseAddrPort("[2001:db8::1]:80"), netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("[2001:db8::2]:80"),
	}
	fail := func(code wire.Code) error { return wire.NewError(code, "") }
	const ms = time.Millisecond
	for _, test := range []struct {
		name   string
		plans  []plan
		winner int // -1: none
		code   wire.Code
		took   time.Duration
		began  []time.Duration // -1: never
	}{
		{"first answers", []plan{{after: 10 * ms}, {after: 10 * ms}, {}}, 0, wire.OK, 10 * ms, []time.Duration{0, -1, -1}},
		{"first is dead", []plan{{}, {after: 10 * ms}, {}}, 1, wire.OK, 260 * ms, []time.Duration{0, 250 * ms, -1}},
		{"first is slow and wins", []plan{{after: 300 * ms}, {after: 100 * ms}, {}}, 0, wire.OK, 300 * ms, []time.Duration{0, 250 * ms, -1}},
		{"first fails at once", []plan{{after: 5 * ms, err: fail(wire.NetworkUnreachable)}, {after: 10 * ms}, {}}, 1, wire.OK, 15 * ms, []time.Duration{0, 5 * ms, -1}},
		{"two are dead", []plan{{}, {}, {after: ms}}, 2, wire.OK, 501 * ms, []time.Duration{0, 250 * ms, 500 * ms}},
		{
			"all fail: the answer of a target counts",
			[]plan{{after: ms, err: fail(wire.NetworkUnreachable)}, {after: ms, err: fail(wire.Refused)}, {after: ms, err: fail(wire.HostUnreachable)}},
			-1, wire.Refused, 3 * ms,
			[]time.Duration{0, ms, 2 * ms},
		},
		{"all dead", []plan{{}, {}, {}}, -1, wire.TimedOut, 5 * time.Second, []time.Duration{0, 250 * ms, 500 * ms}},
		{"a loser that connects late is closed", []plan{{after: 400 * ms, stubborn: true}, {after: 50 * ms}, {}}, 1, wire.OK, 400 * ms, []time.Duration{0, 250 * ms, -1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &attempts{began: map[netip.AddrPort]time.Duration{}, start: time.Now(), plans: map[netip.AddrPort]plan{}}
				for i, plan := range test.plans {
					a.plans[addrs[i]] = plan
				}
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				conn, err := race(ctx, addrs, attemptDelay, a.dial)
				if codeOf(err) != test.code {
					t.Errorf("error %v; want %v", err, test.code)
				}
				if took := time.Since(a.start); took != test.took {
					t.Errorf("took %v; want %v", took, test.took)
				}
				for i, want := range test.began {
					if began, ok := a.began[addrs[i]]; !ok && want >= 0 || ok && began != want {
						t.Errorf("attempt %d began at %v, %v; want %v", i, began, ok, want)
					}
				}
				for _, c := range a.open {
					if c.closed == (egress.Conn(c) == conn) {
						t.Errorf("%s: closed is %v", c.addr, c.closed)
					}
				}
				if test.winner >= 0 && conn.(*fakeConn).addr != addrs[test.winner] {
					t.Errorf("winner %s; want %s", conn.(*fakeConn).addr, addrs[test.winner])
				}
			})
		})
	}
}

func TestRaceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var addrs []netip.AddrPort
		for i := range 8 {
			addrs = append(addrs, netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:80", i)))
		}
		a := &attempts{began: map[netip.AddrPort]time.Duration{}, start: time.Now()}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { cancel(wire.NewError(wire.Draining, "")) })
		_, err := race(ctx, addrs, attemptDelay, a.dial)
		if codeOf(err) != wire.Draining {
			t.Errorf("%v; want the context's cause", err)
		}
		if len(a.began) != 2 {
			t.Errorf("%d attempts; want 2", len(a.began))
		}
	})
}

// The first address of the name is dead, the second answers.
func TestSecondAddress(t *testing.T) {
	target := listen(t, echo)
	r := local(t, Config{Resolver: answers("::1", "127.0.0.1")})
	s := serve(t, t.Context(), r, "both.example", target.addr.Port())
	if result := s.want(wire.OK); result.Remote != target.addr {
		t.Errorf("remote %s; want %s", result.Remote, target.addr)
	}
	s.fin()
}

func TestDialFailureKeepsItsCause(t *testing.T) {
	cause := errors.New("cause")
	err := dialFailure(t.Context(), netip.MustParseAddrPort("192.0.2.1:80"), fmt.Errorf("dial: %w", cause))
	if !errors.Is(err, cause) || codeOf(err) != wire.Internal || textOf(err) != "192.0.2.1:80: the server failed" {
		t.Errorf("%v, code %v, text %q", err, codeOf(err), textOf(err))
	}
}
