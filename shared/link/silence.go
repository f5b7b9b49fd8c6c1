package link

import (
	"context"
	"sync"
	"time"
)

// frozenAfter is how late a timer is after which this end was not running: a page in a
// long task, a machine that slept.
const frozenAfter = 2 * time.Second

// lateProbe is frozenAfter for the few seconds of a probe.
const lateProbe = 250 * time.Millisecond

// watchdog is the keepalive timer: it ends a run whose other end is silent. It is apart from the
// sender, which may wait in Send for as long as a dead network lets it.
type watchdog struct {
	mu      sync.Mutex
	timer   *time.Timer
	due     time.Time
	stopped bool
}

// look makes it ask anew: less time may be left than it thinks.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.due = time.Now()
		w.timer.Reset(0)
	}
}

func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.timer.Stop()
}

// watch starts the watchdog of a run.
func (l *Link) watch(cancel context.CancelCauseFunc) *watchdog {
	first := l.alive(time.Now())
	w := &watchdog{due: time.Now().Add(first)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(first, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.stopped {
			return
		}
		left := l.alive(w.due)
		if left <= 0 {
			cancel(ErrSilent)
			return
		}
		w.due = time.Now().Add(left)
		w.timer.Reset(left)
	})
	l.mu.Lock()
	l.watchdog = w
	l.mu.Unlock()
	return w
}

// Probe asks the other end for a sign of life at once and gives the carrier up after the
// timeout without any, where DeadAfter would be later. It is for who has reason to doubt
// the carrier: the network has changed, or the machine has slept. A link without a
// carrier, or with a probe under way, does nothing.
func (l *Link) Probe(timeout time.Duration) {
	l.mu.Lock()
	w := l.watchdog
	if w == nil || l.probe > 0 || timeout <= 0 {
		l.mu.Unlock()
		return
	}
	l.probe, l.probed, l.pinged = timeout, time.Now(), false
	l.poke()
	l.mu.Unlock()
	w.look()
}

// alive says for how long the carrier counts as alive yet. due is when that was to be
// asked: an end that did not run for a while ends no run, but gives what arrived
// meanwhile the time to be handled, and asks at once.
func (l *Link) alive(due time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.out.held() == 0 { // this is looked at now and then: what has not been used since goes back
		l.shrinkLocked()
	}
	late := now.Sub(due)
	if late > frozenAfter {
		if recent := now.Add(-l.config.PingAfter); recent.After(l.heard) {
			l.heard, l.pinged = recent, false
			l.poke()
		}
	}
	if late > lateProbe {
		l.probed = now
	}
	dead := l.config.DeadAfter
	if !l.any {
		dead = max(dead, l.config.FirstDeadAfter)
	}
	left := dead - now.Sub(l.heard)
	if l.probe > 0 {
		left = min(left, l.probe-now.Sub(l.probed))
	}
	return min(left, l.config.DeadAfter) // a first message shortens what is left
}
