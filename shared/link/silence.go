package link

import (
	"context"
	"sync"
	"time"
)

// frozenAfter is how late a timer is after which this end was not running: a page in a long task, a machine that slept.
const frozenAfter = 2 * time.Second

// watchdog ends a run whose other end is silent. It is apart from the sender, which may wait in Send for as long as a dead network lets it.
type watchdog struct {
	mu      sync.Mutex
	timer   *time.Timer
	due     time.Time
	stopped bool
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
	return w
}

// alive says for how long the carrier counts as alive yet. due is when that was to be asked: an end that did not run for a while blames nobody, but
// gives what arrived meanwhile the time to be handled, and asks at once.
func (l *Link) alive(due time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(due) > frozenAfter {
		if recent := now.Add(-l.config.PingAfter); recent.After(l.heard) {
			l.heard, l.pinged = recent, false
			l.poke()
		}
	}
	return l.config.DeadAfter - now.Sub(l.heard)
}
