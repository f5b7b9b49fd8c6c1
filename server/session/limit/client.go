package limit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// burstSeconds is how many seconds' worth of streams may begin at once: a page that
	// loads opens its sockets together.
	burstSeconds = 10
	// leastBurst lets any single read of the relay (64 KiB) pass in one piece, however
	// low the rate.
	leastBurst = 64 << 10
)

// Client is what one client has taken, over all of its sessions. Any number of goroutines
// may use it. Clients come from Counters.
type Client struct {
	counters *Counters
	client   string

	mu       sync.Mutex
	limits   Limits
	opens    *rate.Limiter // nil: no limit
	bytes    *rate.Limiter // likewise
	sessions int
	day      int64 // that used is about, counted from 1970
	used     int64 // bytes of that day
}

func newClient(counters *Counters, client string, limits Limits) *Client {
	a := &Client{counters: counters, client: client}
	a.SetLimits(limits)
	return a
}

// SetLimits makes other limits hold from now on. What was taken stays taken.
func (a *Client) SetLimits(limits Limits) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if limits == a.limits {
		return
	}
	a.limits = limits
	a.opens = changed(a.opens, int64(limits.Opens), burstSeconds*int64(limits.Opens))
	a.bytes = changed(a.bytes, limits.BytesPerSecond, max(limits.BytesPerSecond, leastBurst))
}

// changed returns the limiter for so many events a second and so many at once: l where
// there is one, so that what was taken stays taken.
func changed(l *rate.Limiter, perSecond, atOnce int64) *rate.Limiter {
	switch {
	case perSecond == 0:
		return nil
	case l == nil:
		return rate.NewLimiter(rate.Limit(perSecond), int(atOnce))
	}
	l.SetBurst(int(atOnce))
	l.SetLimit(rate.Limit(perSecond))
	return l
}

// Limits returns those in force.
func (a *Client) Limits() Limits {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.limits
}

// Begin counts one more stream, or returns the *Refused that says why there must be none.
func (a *Client) Begin() error {
	a.mu.Lock()
	limits, opens := a.limits, a.opens
	a.roll()
	spent := limits.BytesPerDay > 0 && a.used >= limits.BytesPerDay
	a.mu.Unlock()
	if spent {
		return daySpent(limits)
	}
	if opens != nil && !opens.Allow() {
		return Refuse(Opens, "more than %d sockets a second are opened", limits.Opens)
	}
	return nil
}

// Take waits until n more bytes may pass, which takes the time that the rate says. It
// returns a *Refused when the bytes of the day are spent, the cause of ctx when that ends
// first, and nil when stop, which may be nil, is closed first: the bytes are not wanted any
// more.
func (a *Client) Take(ctx context.Context, stop <-chan struct{}, n int) error {
	if err := a.spend(n); err != nil {
		return err
	}
	for n > 0 {
		a.mu.Lock()
		bytes := a.bytes
		a.mu.Unlock()
		if bytes == nil {
			return nil
		}
		part := min(n, bytes.Burst())
		turn := bytes.ReserveN(time.Now(), part)
		if !turn.OK() {
			continue // the burst has just become smaller
		}
		n -= part
		wait := turn.Delay()
		if wait == 0 {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
			turn.Cancel()
			return nil
		case <-ctx.Done():
			timer.Stop()
			turn.Cancel()
			return context.Cause(ctx)
		}
	}
	return nil
}

// Unbounded reports whether neither a rate nor the bytes of the day bound the client.
func (a *Client) Unbounded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes == nil && a.limits.BytesPerDay == 0
}

// Count counts bytes that have passed while the client was unbounded.
func (a *Client) Count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	a.used += int64(n)
}

// spend counts the bytes of the day.
func (a *Client) spend(n int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	if most := a.limits.BytesPerDay; most > 0 && a.used+int64(n) > most {
		a.used = most
		return daySpent(a.limits)
	}
	a.used += int64(n)
	return nil
}

func daySpent(limits Limits) *Refused {
	return Refuse(BytesPerDay, "the %d bytes of this day are used up, until 00:00 UTC", limits.BytesPerDay)
}

// roll begins a new day. The caller holds mu.
func (a *Client) roll() {
	const seconds = 24 * 60 * 60
	if day := time.Now().Unix() / seconds; day != a.day {
		a.day, a.used = day, 0
	}
}

// Usage is what a client has now.
type Usage struct {
	Sessions int
	Today    int64 // bytes
}

// Usage returns the present figures.
func (a *Client) Usage() Usage {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	return Usage{a.sessions, a.used}
}

// enter counts a session.
func (a *Client) enter() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if most := a.limits.Sessions; most > 0 && a.sessions >= most {
		return Refuse(SessionsPerClient, "the client has its %d sessions", most)
	}
	a.sessions++
	return nil
}

// Leave gives a session back. The caller does not use the account afterwards.
func (a *Client) Leave() { a.counters.leave(a) }

// idle reports whether nothing would be forgotten with the account: no session, and nothing
// taken that still counts.
func (a *Client) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	switch {
	case a.sessions > 0:
		return false
	case a.limits.BytesPerDay > 0 && a.used > 0:
		return false
	case a.opens != nil && a.opens.Tokens() < float64(a.opens.Burst()):
		return false
	}
	return a.bytes == nil || a.bytes.Tokens() >= float64(a.bytes.Burst())
}

// light reports whether an account without a session may be forgotten where memory is
// short: it has used less than half of its day.
func (a *Client) light() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll()
	return a.sessions == 0 && 2*a.used < max(a.limits.BytesPerDay, 1)
}
