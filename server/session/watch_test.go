package session_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// watcher writes down what is told of all sessions.
type watcher struct {
	mu       sync.Mutex
	openings []session.Opening
	told     []string
}

func (w *watcher) opened(o session.Opening) session.Watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.openings = append(w.openings, o)
	if o.Err != nil {
		return nil
	}
	return w
}

func (w *watcher) tell(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, text)
}

func (w *watcher) Parked(reason error) { w.tell(fmt.Sprint("parked ", reason != nil)) }
func (w *watcher) Resumed()            { w.tell("resumed") }
func (w *watcher) Ended(reason error) {
	var e *wire.Error
	errors.As(reason, &e)
	w.tell("ended " + e.Code.String())
}

func (w *watcher) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.told, ", ")
}

// A session that is lost, comes back and ends is told as that.
func TestWatcher(t *testing.T) {
	watch := new(watcher)
	w := newWorld(t, session.Config{Grace: time.Minute, MaxParked: 10, Opened: watch.opened})
	began := time.Now()
	c, _ := w.client()
	s := open(t, c)
	w.last().Cut()
	roundTrip(t, s, 1000, 1)
	c.Close()
	eventually(t, "the end is told", func() bool { return strings.Contains(watch.all(), "ended") })
	if got := watch.all(); got != "parked true, resumed, ended ok" && got != "resumed, ended ok" { // a session that is taken over was never parked
		t.Errorf("told %s", got)
	}
	if len(watch.openings) != 1 {
		t.Fatalf("%+v", watch.openings)
	}
	if o := watch.openings[0]; o.Err != nil || o.Identity.Name != "anonymous" || o.Peer.Address != "192.0.2.1:1" || len(o.Session) != 8 || o.Began.Before(began) || o.Began.After(time.Now()) {
		t.Errorf("%+v", o)
	}
}

// A session that does not come back in time.
func TestWatcherOfALostSession(t *testing.T) {
	watch := new(watcher)
	w := newWorld(t, session.Config{Grace: time.Millisecond, MaxParked: 10, Opened: watch.opened})
	_, carrier := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	carrier.Cut()
	eventually(t, "the end is told", func() bool { return watch.all() == "parked true, ended session_lost" })
}

// Refused ones are told, with as much as is known of them.
func TestWatcherOfRefused(t *testing.T) {
	watch := new(watcher)
	w := newWorld(t, session.Config{MaxSessions: 1, Opened: watch.opened})
	w.hello(wire.Hello{Version: wire.Version})
	w.refused(wire.Hello{Version: wire.Version, Agent: "second"}, wire.Limit)
	c, err := w.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(0, "")
	eventually(t, "all are told", func() bool {
		watch.mu.Lock()
		defer watch.mu.Unlock()
		return len(watch.openings) == 3
	})
	var refused *limit.Refused
	if o := watch.openings[1]; !errors.As(o.Err, &refused) || refused.Reason != limit.Sessions || o.Agent != "second" || o.Session != "" || o.Identity == nil {
		t.Errorf("%+v", o)
	}
	if o := watch.openings[2]; o.Err == nil || o.Identity != nil {
		t.Errorf("%+v", o)
	}
	w.registry.Close()
	if got := watch.all(); got != "ended draining" {
		t.Errorf("told %s", got)
	}
}
