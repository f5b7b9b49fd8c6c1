package relay

import (
	"context"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/wire"
)

// attemptDelay is the time for which an attempt has the line to itself (RFC 8305, section
// 5: 250 ms are recommended).
const attemptDelay = 250 * time.Millisecond

// connect resolves and dials within the time that the request and the server allow.
func (r *service) connect(ctx context.Context, request wire.Request) (egress.Conn, error) {
	ctx, cancel := r.within(ctx, request)
	defer cancel()
	addrs, aliases, err := r.targets(ctx, request)
	if err != nil {
		return nil, err
	}
	return race(ctx, addrs, attemptDelay, func(ctx context.Context, addr netip.AddrPort) (egress.Conn, error) {
		return r.dial(ctx, request.Host, aliases, addr)
	})
}

// targets returns the addresses of the host of a request that the policy allows, and the names
// that the host is an alias of.
func (r *service) targets(ctx context.Context, request wire.Request) ([]netip.AddrPort, []string, error) {
	if request.Port == 0 {
		return nil, nil, &wire.Error{Code: wire.InvalidRequest, Text: "port 0 is not a valid port"}
	}
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	err := r.Policy.CheckHost(request.Host, request.Port)
	asked(err)
	if err != nil {
		return nil, nil, err
	}
	return r.resolve(ctx, request)
}

// within bounds the time until the answer by what the request and the server allow.
func (r *service) within(ctx context.Context, request wire.Request) (context.Context, context.CancelFunc) {
	timeout := r.DialTimeout
	if request.Timeout > 0 {
		timeout = min(timeout, request.Timeout)
	}
	return context.WithTimeout(ctx, timeout)
}

// dial connects to one address. The dialer asks the policy again for the very address
// that the system, or a proxy, is about to connect to, so nothing between the first check
// and the connect can change the target.
func (r *service) dial(ctx context.Context, host wire.Host, aliases []string, target netip.AddrPort) (egress.Conn, error) {
	ended := r.step(events.StepDial, target)
	conn, err := r.dialer.DialContext(ctx, host, target, func(dialed netip.AddrPort) error { return r.Policy.CheckAddr(host, aliases, dialed) })
	if err != nil {
		err = dialFailure(ctx, target, err)
	}
	ended(err)
	return conn, err
}

// race connects to the first of the addresses that answers (RFC 8305, section 5): an
// attempt begins when the one before has failed or delay has passed. It returns when no
// attempt is left running. If all fail, the error is the one that tells most about the
// target, the earlier of two alike.
func race(ctx context.Context, addrs []netip.AddrPort, delay time.Duration, dial func(context.Context, netip.AddrPort) (egress.Conn, error)) (egress.Conn, error) {
	if len(addrs) == 1 { // as of a literal address
		return dial(ctx, addrs[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type attempt struct {
		index int
		conn  egress.Conn
		err   error
	}
	results := make(chan attempt)
	started, running := 0, 0
	start := func() {
		index := started
		started++
		running++
		go func() { // waited for: each sends once and race receives until none is running
			conn, err := dial(ctx, addrs[index])
			results <- attempt{index, conn, err}
		}()
	}
	start()
	timer := time.NewTimer(delay)
	defer timer.Stop()
	var winner egress.Conn
	failures := make([]error, len(addrs))
	for running > 0 {
		select {
		case <-timer.C:
		case a := <-results:
			running--
			switch {
			case a.err != nil:
				failures[a.index] = a.err
			case winner != nil:
				_ = a.conn.Close() // it came in while the others were being canceled
			default:
				winner = a.conn
				cancel()
			}
		}
		if started < len(addrs) && ctx.Err() == nil {
			start()
			timer.Reset(delay)
		}
	}
	if winner != nil {
		return winner, nil
	}
	return nil, mostTelling(failures)
}

// mostTelling picks the error to report when every address has failed: an answer of the
// target before silence, silence before a missing route, which may only mean that the
// server has no IPv6.
func mostTelling(failures []error) error {
	rank := func(err error) int {
		switch codeOf(err) {
		case wire.NetworkUnreachable, wire.AddressNotAvailable, wire.Aborted:
			return 1
		case wire.HostUnreachable, wire.Denied:
			return 2
		case wire.TimedOut:
			return 3
		default:
			return 4
		}
	}
	var best error
	for _, err := range failures {
		if err != nil && (best == nil || rank(err) > rank(best)) {
			best = err
		}
	}
	return best
}
