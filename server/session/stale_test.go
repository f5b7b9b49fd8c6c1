package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// welcomed notes the session that the server's first message names.
type welcomed struct {
	link.Carrier
	session *atomic.Pointer[wire.Session]
}

func (w welcomed) Receive(ctx context.Context) ([]byte, error) {
	message, err := w.Carrier.Receive(ctx)
	if err == nil {
		if m, err := wire.Decode(message); err == nil {
			if m, ok := m.(wire.Welcome); ok && m.Session != nil {
				w.session.Store(m.Session)
			}
		}
	}
	return message, err
}

// TestStaleResume: a resume that was sent before others and comes to its turn after them,
// with an offset that is long outdated, does the session no harm.
func TestStaleResume(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	var known atomic.Pointer[wire.Session]
	c := client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
		carrier, err := w.dial(ctx)
		return welcomed{carrier, &known}, err
	}})
	t.Cleanup(c.Close)
	roundTrip(t, open(t, c), 1_000_000, 1) // more than the client leaves unacknowledged
	s := open(t, c)
	session := known.Load()
	stale := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Resume: &wire.Resume{ID: session.ID, Secret: session.Secret}}
	for range 3 {
		carrier, err := w.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := carrier.Send(t.Context(), stale.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if message, err := carrier.Receive(t.Context()); err == nil {
			m, _ := wire.Decode(message)
			t.Errorf("answer: %+v, want the carrier's end", m)
		}
	}
	roundTrip(t, s, 1_000_000, 2)
	if got := w.registry.Stats(); got.Sessions != 1 {
		t.Errorf("%d sessions, want the one", got.Sessions)
	}
}

// TestStaleResumeOfParked: the session goes on waiting, and not for ever.
func TestStaleResumeOfParked(t *testing.T) {
	w := newWorld(t, session.Config{Grace: 50 * time.Millisecond, MaxDetached: 10})
	m, c := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	known := m.(wire.Welcome).Session
	carrier, err := w.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ahead := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Resume: &wire.Resume{ID: known.ID, Secret: known.Secret, Received: 1 << 40}}
	if err := carrier.Send(t.Context(), ahead.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if message, err := carrier.Receive(t.Context()); err == nil {
		t.Errorf("answer: %x, want the carrier's end", message)
	}
	if _, err := c.Receive(t.Context()); err == nil {
		t.Error("the carrier that was taken over is still served")
	}
	eventually(t, "the session has expired", func() bool { s := w.registry.Stats(); return s.Sessions == 0 && s.Detached == 0 })
}
