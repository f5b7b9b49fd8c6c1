package posix

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/fronts"
)

// alive knows when the client was last heard. The zero value has heard it at the start.
type alive struct {
	last     atomic.Int64 // nanoseconds of Unix time
	smoothed atomic.Int64 // round trip time
}

func (a *alive) heard() { a.last.Store(time.Now().UnixNano()) }

func (a *alive) since() time.Duration { return time.Duration(time.Now().UnixNano() - a.last.Load()) }

func (a *alive) rtt() time.Duration { return time.Duration(a.smoothed.Load()) }

// took notes a round trip.
func (a *alive) took(d time.Duration) {
	before := a.smoothed.Load()
	if before == 0 {
		before = int64(d)
	}
	a.smoothed.Store(max(before+(int64(d)-before)/8, 1)) // RFC 6298, section 2.3
}

// watch pings the client once at the start and whenever it is silent for the time of
// keepalive. A client that is silent for twice that time is gone.
func (t *tunnel) watch(ctx context.Context) {
	t.alive.heard()
	for wait := time.Duration(0); ; wait = max(t.keepalive-t.alive.since(), time.Millisecond) {
		due := time.Now().Add(wait)
		timer := time.NewTimer(wait)
		select {
		case <-t.done:
			timer.Stop()
			return
		case <-timer.C:
		}
		if time.Since(due) > t.keepalive/2 {
			t.alive.heard() // this process did not run, and what has come is not read yet
		}
		if wait > 0 && t.alive.since() < t.keepalive {
			continue
		}
		began := time.Now()
		answered, cancel := context.WithTimeout(ctx, 2*t.keepalive-t.alive.since())
		err := t.transport.Ping(answered)
		cancel()
		switch {
		case err == nil:
			t.alive.took(time.Since(began))
			t.alive.heard()
		case t.alive.since() >= 2*t.keepalive: // nothing else has come meanwhile
			t.end(fronts.ErrSilent, true)
			return
		}
	}
}
