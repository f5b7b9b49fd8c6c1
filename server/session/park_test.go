package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// parkWatcher does something before it writes down that a session is parked.
type parkWatcher struct {
	watcher
	first func()
}

func (w *parkWatcher) Parked(reason error) {
	w.first()
	w.watcher.Parked(reason)
}

// parks loses the carrier of a session, and returns its world and what is told of it.
func parks(t *testing.T, grace time.Duration, first func(*session.Registry)) (*world, *parkWatcher) {
	t.Helper()
	watch := new(parkWatcher)
	w := newWorld(t, session.Config{Grace: grace, MaxParked: 10, Opened: func(o session.Opening) session.Watcher {
		watch.opened(o)
		return watch
	}})
	watch.first = func() { first(w.registry) }
	_, carrier := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	carrier.Cut()
	return w, watch
}

// The end is told last, however soon it comes.
func TestParkedIsToldBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, watch := parks(t, time.Millisecond, func(*session.Registry) { time.Sleep(time.Second) })
		time.Sleep(time.Minute) // of the bubble's clock, as above
		if got := watch.all(); got != "parked true, ended session_lost" {
			t.Errorf("told %s", got)
		}
	})
}

// A session that is ended while it is about to be parked is not kept for the grace period.
func TestEndWhileParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, closed := time.Now(), make(chan struct{})
		_, watch := parks(t, time.Hour, func(r *session.Registry) {
			go func() {
				r.Close()
				close(closed)
			}()
			synctest.Wait() // Close waits for the session by now
		})
		<-closed
		if took := time.Since(began); took != 0 {
			t.Errorf("the registry is closed after %s", took)
		}
		if got := watch.all(); got != "parked true, ended draining" {
			t.Errorf("told %s", got)
		}
	})
}
