package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// parkRecorder does something before it records that a session is detached.
type parkRecorder struct {
	recorder
	first func()
}

func (w *parkRecorder) Record(e events.Event) {
	if _, ok := e.(events.SessionDetached); ok {
		w.first()
	}
	w.recorder.Record(e)
}

// detaches loses the carrier of a session, and returns its world and what is recorded of it.
func detaches(t *testing.T, grace time.Duration, first func(*session.Registry)) (*world, *parkRecorder) {
	t.Helper()
	seen := new(parkRecorder)
	w := newWorld(t, session.Config{Grace: grace, MaxDetached: 10, Events: seen})
	seen.first = func() { first(w.registry) }
	_, carrier := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	carrier.Cut()
	return w, seen
}

// The end is recorded last, however soon it comes.
func TestParkedIsRecordedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, seen := detaches(t, time.Millisecond, func(*session.Registry) { time.Sleep(time.Second) })
		time.Sleep(time.Minute) // of the bubble's clock, as above
		if got := seen.life(); got != "detached true, ended session_lost" {
			t.Errorf("recorded %s", got)
		}
	})
}

// A session that is ended while it is about to be detached is not kept for the grace period.
func TestEndWhileParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, closed := time.Now(), make(chan struct{})
		_, seen := detaches(t, time.Hour, func(r *session.Registry) {
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
		if got := seen.life(); got != "detached true, ended draining" {
			t.Errorf("recorded %s", got)
		}
	})
}
