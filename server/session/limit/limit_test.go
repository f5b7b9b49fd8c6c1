package limit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// enter enters and fails the test where that is refused.
func enter(t *testing.T, b *Counters, client string, limits Limits) *Client {
	t.Helper()
	a, err := b.Enter(client, limits)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// refused checks reason, code and text of a refusal.
func refused(t *testing.T, err error, reason Reason, text string) {
	t.Helper()
	var r *Refused
	var e *wire.Error
	if !errors.As(err, &r) || !errors.As(err, &e) || r.Reason != reason || e.Code != wire.Limit || e.Text != text {
		t.Errorf("got %v, want the refusal %s: %s", err, reason, text)
	}
}

func TestSessions(t *testing.T) {
	b := NewCounters()
	limits := Limits{Sessions: 2}
	first := enter(t, b, "alice", limits)
	second := enter(t, b, "alice", limits)
	if first != second || first.Usage().Sessions != 2 {
		t.Errorf("%d sessions", first.Usage().Sessions)
	}
	_, err := b.Enter("alice", limits)
	refused(t, err, SessionsPerClient, "the client has its 2 sessions")
	enter(t, b, "bob", limits).Leave()
	first.Leave()
	enter(t, b, "alice", limits).Leave()
	second.Leave()
	if b.Clients() != 0 {
		t.Errorf("%d clients are remembered and nothing is to remember", b.Clients())
	}
}

func TestOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := enter(t, NewCounters(), "alice", Limits{Opens: 5})
		for i := range 50 {
			if err := a.Begin(); err != nil {
				t.Fatalf("stream %d: %v", i, err)
			}
		}
		refused(t, a.Begin(), Opens, "more than 5 sockets a second are opened")
		time.Sleep(time.Second)
		for range 5 {
			if err := a.Begin(); err != nil {
				t.Error(err)
			}
		}
		refused(t, a.Begin(), Opens, "more than 5 sockets a second are opened")
	})
}

// To come back in a new session brings nothing.
func TestOpensAreRememberedOverSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, limits := NewCounters(), Limits{Opens: 1}
		a := enter(t, b, "alice", limits)
		for a.Begin() == nil {
		}
		a.Leave()
		if err := enter(t, b, "alice", limits).Begin(); err == nil {
			t.Error("a new session begins anew")
		}
	})
}

func TestBytesPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := enter(t, NewCounters(), "alice", Limits{BytesPerSecond: 1 << 20})
		began := time.Now()
		const total = 11 << 20 // the first megabyte at once, the others in ten seconds
		for taken := 0; taken < total; taken += 32 << 10 {
			if err := a.Take(t.Context(), nil, 32<<10); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began).Round(time.Millisecond); took != 10*time.Second {
			t.Errorf("took %s, want 10s", took)
		}
	})
}

// More at once than the burst is taken in parts; the end of the context ends the wait
// with its cause.
func TestTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := enter(t, NewCounters(), "alice", Limits{BytesPerSecond: 1000})
		began := time.Now()
		if err := a.Take(t.Context(), nil, leastBurst+70_000); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began).Round(time.Millisecond); took != 70*time.Second {
			t.Errorf("took %s, want 70s", took)
		}
		gone := errors.New("the page is gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		if err := a.Take(ctx, nil, 30_000); err != gone {
			t.Errorf("got %v", err)
		}
		stop := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(stop) })
		began = time.Now()
		if err := a.Take(t.Context(), stop, 30_000); err != nil || time.Since(began) != time.Second {
			t.Errorf("stopped after %s, %v", time.Since(began), err)
		}
		// What was not taken is not paid for.
		began = time.Now()
		if err := a.Take(t.Context(), nil, 1000); err != nil || time.Since(began).Round(time.Millisecond) != 0 {
			t.Errorf("took %s, %v", time.Since(began), err)
		}
	})
}

func TestBytesPerDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC, 2000-01-01
		b, limits := NewCounters(), Limits{BytesPerDay: 1000}
		const text = "the 1000 bytes of this day are used up, until 00:00 UTC"
		a := enter(t, b, "alice", limits)
		if err := a.Take(t.Context(), nil, 1000); err != nil {
			t.Fatal(err)
		}
		refused(t, a.Take(t.Context(), nil, 1), BytesPerDay, text)
		refused(t, a.Begin(), BytesPerDay, text)
		a.Leave()
		time.Sleep(24*time.Hour - time.Second)
		a = enter(t, b, "alice", limits)
		refused(t, a.Begin(), BytesPerDay, text)
		time.Sleep(time.Second)
		if err := errors.Join(a.Begin(), a.Take(t.Context(), nil, 999)); err != nil {
			t.Errorf("the next day: %v", err)
		}
		if u := a.Usage(); u.Today != 999 || u.Sessions != 1 {
			t.Errorf("%+v", u)
		}
	})
}

// New limits hold at once, for waits that are under way from their next part on.
func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := enter(t, NewCounters(), "alice", Limits{})
		for range 1000 {
			if err := errors.Join(a.Begin(), a.Take(t.Context(), nil, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
		a.SetLimits(Limits{Opens: 1, BytesPerDay: 5})
		if a.Limits().Opens != 1 {
			t.Errorf("%+v", a.Limits())
		}
		refused(t, a.Take(t.Context(), nil, 1), BytesPerDay, "the 5 bytes of this day are used up, until 00:00 UTC")
		a.SetLimits(Limits{})
		if err := errors.Join(a.Begin(), a.Take(t.Context(), nil, 1<<20)); err != nil {
			t.Error(err)
		}
	})
}

// Counters stay small, whatever clients come.
func TestForgetting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewCounters()
		b.most = 2000
		limits := Limits{BytesPerDay: 1000}
		heavy := enter(t, b, "heavy", limits)
		if err := heavy.Take(t.Context(), nil, 900); err != nil {
			t.Fatal(err)
		}
		heavy.Leave()
		for i := range 10_000 {
			a := enter(t, b, fmt.Sprint("light ", i), limits)
			if err := a.Take(t.Context(), nil, 1); err != nil {
				t.Fatal(err)
			}
			a.Leave()
		}
		if n := b.Clients(); n > b.most {
			t.Errorf("%d clients", n)
		}
		if u := enter(t, b, "heavy", limits).Usage(); u.Today != 900 {
			t.Errorf("who has used most is forgotten: %+v", u)
		}
		for i := range b.most {
			if _, err := b.Enter(fmt.Sprint("there ", i), limits); err != nil {
				refused(t, err, Clients, "the server has its 2000 clients")
				return
			}
		}
		t.Error("the counters has no end")
	})
}
