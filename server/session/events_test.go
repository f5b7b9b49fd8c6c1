package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/events/eventstest"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// recorder keeps the events of a registry.
type recorder struct{ eventstest.Recorder }

// opened are the sessions that were opened.
func (r *recorder) opened() []events.SessionOpened {
	return eventstest.Of[events.SessionOpened](&r.Recorder)
}

// refused are the refusals.
func (r *recorder) refused() []events.Refused { return eventstest.Of[events.Refused](&r.Recorder) }

// limits counts the refusals by limit.
func (r *recorder) limits() map[limit.Reason]int {
	counts := make(map[limit.Reason]int)
	for _, refused := range r.refused() {
		counts[refused.Refusal.Limit]++
	}
	return counts
}

// life is what happened to sessions that were opened.
func (r *recorder) life() string {
	var words []string
	for _, e := range r.All() {
		switch e := e.(type) {
		case events.SessionDetached:
			words = append(words, fmt.Sprint("detached ", e.Reason != nil))
		case events.SessionResumed:
			words = append(words, "resumed")
		case events.SessionEnded:
			var code *wire.Error
			errors.As(e.Err, &code)
			words = append(words, "ended "+code.Code.String())
		}
	}
	return strings.Join(words, ", ")
}

// A session that is lost, comes back and ends is recorded as that.
func TestEvents(t *testing.T) {
	seen := new(recorder)
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10, Events: seen})
	began := time.Now()
	c, _ := w.client()
	s := open(t, c)
	w.last().Cut()
	roundTrip(t, s, 1000, 1)
	c.Close()
	eventually(t, "the end is recorded", func() bool { return strings.Contains(seen.life(), "ended") })
	if got := seen.life(); got != "detached true, resumed, ended ok" && got != "resumed, ended ok" { // a session that is taken over was never detached
		t.Errorf("recorded %s", got)
	}
	opened := seen.opened()
	if len(opened) != 1 {
		t.Fatalf("%+v", opened)
	}
	who := opened[0].Client
	if who.Identity != "anonymous" || !who.Anonymous || who.Name() != "" || who.Peer != "192.0.2.1:1" || len(who.Session) != 8 || who.Number != 1 {
		t.Errorf("%+v", who)
	}
	if opened[0].Began.Before(began) || opened[0].Began.After(time.Now()) {
		t.Errorf("%+v", opened)
	}
	for _, e := range seen.All() {
		if ended, ok := e.(events.SessionEnded); ok && (ended.Client != who || ended.Expired || ended.Duration <= 0) {
			t.Errorf("%+v", ended)
		}
	}
}

// A session that does not come back in time.
func TestEventsOfALostSession(t *testing.T) {
	seen := new(recorder)
	w := newWorld(t, session.Config{Grace: time.Millisecond, MaxDetached: 10, Events: seen})
	_, carrier := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	carrier.Cut()
	eventually(t, "the end is recorded", func() bool { return seen.life() == "detached true, ended session_lost" })
}

// Refused ones are recorded, with as much as is known of them.
func TestEventsOfRefused(t *testing.T) {
	seen := new(recorder)
	w := newWorld(t, session.Config{MaxSessions: 1, Events: seen})
	w.hello(wire.Hello{Version: wire.Version})
	w.refused(wire.Hello{Version: wire.Version, Agent: "second"}, wire.Limit)
	c, err := w.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close(0, "")
	failures := func() []events.HandshakeFailed { return eventstest.Of[events.HandshakeFailed](&seen.Recorder) }
	eventually(t, "all are recorded", func() bool { return len(failures()) == 2 })
	var refused *limit.Refused
	if f := failures()[0]; !errors.As(f.Err, &refused) || refused.Reason != limit.Sessions || f.Client.Agent != "second" || f.Client.Session != "" || f.Client.Identity == "" {
		t.Errorf("%+v", f)
	}
	if f := failures()[1]; f.Err == nil || f.Client.Identity != "" {
		t.Errorf("%+v", f)
	}
	// The one that was lost was not refused.
	if list := seen.refused(); len(list) != 1 || list[0].Subject != events.NewSession || list[0].Refusal.Limit != limit.Sessions {
		t.Errorf("%+v", list)
	}
	w.registry.Close()
	if got := seen.life(); got != "ended draining" {
		t.Errorf("recorded %s", got)
	}
}
