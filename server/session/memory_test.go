package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// unread serves a stream without reading it.
func unread(ctx context.Context, s session.Stream, _ session.Client) {
	_ = s.Reply(wire.Result{}) // fails only with the session
	<-ctx.Done()
	_ = s.Close() // as above
}

// full opens a session that holds so many bytes of the server's memory.
func (w *world) full(memory *budget.Budget, bytes int) *client.Client {
	w.t.Helper()
	before := memory.Used()
	c, _ := w.client()
	for n := 0; n < bytes; n += 128 << 10 {
		s, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := s.Write(make([]byte, 128<<10)); err != nil {
			w.t.Fatal(err)
		}
	}
	time.Sleep(time.Second) // of the bubble's clock: all has come
	if used := memory.Used(); used < before+int64(bytes) {
		w.t.Errorf("%d bytes are held, want %d more than %d", used, bytes, before)
	}
	return c
}

// ended returns why sessions have ended, in that order.
func (w *world) ended() (reasons []limit.Reason) {
	for _, refused := range w.seen.refused() {
		reasons = append(reasons, refused.Refusal.Limit)
	}
	return reasons
}

// Where memory is scarce sessions without a connection go, the largest first and no more than
// needed. Those that may come back any moment stay.
func TestScarceMemoryEndsDetachedSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		w := newWorld(t, session.Config{Handle: unread, Grace: time.Hour, MaxDetached: 10, Memory: memory})
		large, small := w.full(memory, 2<<20), w.full(memory, 1<<20)
		w.setRefuse(errors.New("away"))
		for _, c := range w.carriers {
			c.Cut()
		}
		synctest.Wait()
		hog := memory.Account()
		hog.Hold(4 << 20)
		time.Sleep(4 * time.Second)
		if s := w.registry.Stats(); s.Detached != 2 {
			t.Errorf("%+v, want both sessions for a while", s)
		}
		time.Sleep(5 * time.Second)
		if s := w.registry.Stats(); s.Detached != 1 || memory.Scarce() {
			t.Errorf("%+v, %d bytes are held, want the larger session to end and the smaller to stay", s, memory.Used())
		}
		if got := w.ended(); len(got) != 1 || got[0] != limit.Memory {
			t.Errorf("ended for %v", got)
		}
		large.Close()
		small.Close()
		w.registry.Close()
		hog.Close()
		if used := memory.Used(); used != 0 {
			t.Errorf("%d bytes are held by nothing", used)
		}
	})
}

// Where memory is scarce a session goes too that was closed and whose streams outlive it.
func TestScarceMemoryEndsClosedSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		causes := make(chan error, 100)
		w := newWorld(t, session.Config{Memory: memory, Handle: func(_ context.Context, s session.Stream, who session.Client) {
			_ = s.Reply(wire.Result{}) // fails only with the session
			<-who.Outlives.Done()
			causes <- context.Cause(who.Outlives)
			_ = s.Close() // as above
		}})
		w.full(memory, 2<<20).Close()
		hog := memory.Account()
		hog.Hold(5 << 20)
		time.Sleep(4 * time.Second)
		if len(causes) > 0 {
			t.Error("streams of a closed session were cut at once")
		}
		time.Sleep(5 * time.Second)
		var refused *limit.Refused
		if len(causes) == 0 || !errors.As(<-causes, &refused) || refused.Reason != limit.Memory {
			t.Errorf("%d streams were cut, for %v", len(causes), refused)
		}
		if used := memory.Used(); used != 5<<20 {
			t.Errorf("%d bytes are held, want those of the hog", used)
		}
		if got := w.ended(); len(got) != 1 || got[0] != limit.Memory {
			t.Errorf("ended for %v", got)
		}
	})
}

// Where sockets are used up, a session goes that was closed and whose streams outlive it.
func TestSocketsUsedUpEndClosedSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sockets, over := budget.New(8, 4), make(chan struct{})
		defer close(over)
		w := newWorld(t, session.Config{Sockets: sockets, Handle: func(_ context.Context, s session.Stream, who session.Client) {
			_ = s.Reply(wire.Result{}) // fails only with the session
			select {
			case <-who.Outlives.Done():
			case <-over:
			}
			_ = s.Close() // as above
		}})
		for range 10 {
			c, _ := w.client()
			for range 4 {
				if _, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1}); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second) // of the bubble's clock: all are served
			c.Close()
			if used := sockets.Used(); used > 12 {
				t.Errorf("%d sockets are used, want no more than 8 and those of one session", used)
			}
		}
	})
}

// Where more is held than there is, the largest session ends, and its client hears why.
func TestExhaustedMemoryEndsTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		w := newWorld(t, session.Config{Handle: unread, Memory: memory})
		large, small := w.full(memory, 2<<20), w.full(memory, 1<<20)
		defer large.Close()
		defer small.Close()
		hog := memory.Account()
		hog.Hold(6 << 20)
		time.Sleep(5 * time.Second)
		if s := w.registry.Stats(); s.Sessions != 1 || memory.Exhausted() {
			t.Errorf("%+v, %d bytes are held, want the larger session to end and the smaller to stay", s, memory.Used())
		}
		if got := w.ended(); len(got) != 1 || got[0] != limit.Memory {
			t.Errorf("ended for %v", got)
		}
	})
}

// A session that holds its share gets no further streams; one that holds little does.
func TestStreamsBeyondTheShareAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		w := newWorld(t, session.Config{Handle: unread, Memory: memory})
		large := w.full(memory, 2<<20)
		defer large.Close()
		hog := memory.Account()
		hog.Hold(4 << 20)
		small, _ := w.client()
		defer small.Close()
		for c, want := range map[*client.Client]wire.Code{large: wire.Limit, small: wire.OK} {
			s, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1})
			if err != nil {
				t.Fatal(err)
			}
			if result, err := s.Result(t.Context()); err != nil || result.Code != want {
				t.Errorf("result %s, %v, want %s", result.Code, err, want)
			}
		}
		hog.Close()
	})
}

// Descriptors are shared in the same way.
func TestStreamsBeyondTheDescriptorsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Handle: unread, Sockets: budget.New(20, 2)})
		open := func(c *client.Client) wire.Code {
			s, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1})
			if err != nil {
				t.Fatal(err)
			}
			result, err := s.Result(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return result.Code
		}
		first, _ := w.client()
		second, _ := w.client()
		defer first.Close()
		defer second.Close()
		for want := 11; open(first) == wire.OK; want-- {
			if want == 0 {
				t.Fatal("one session has more than half of the descriptors")
			}
		}
		if code := open(second); code != wire.OK {
			t.Errorf("another session: %s", code)
		}
	})
}

// A session that holds its share, and of which nothing moves, ends and hears why.
func TestShareThatDoesNotMoveEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		w := newWorld(t, session.Config{Handle: unread, Memory: memory})
		hog := memory.Account()
		hog.Hold(5 << 20)
		defer hog.Close()
		c, _ := w.client()
		defer c.Close()
		var streams []*mux.Stream
		for range 16 {
			s, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1})
			if err != nil {
				t.Fatal(err)
			}
			streams = append(streams, s)
		}
		var writer sync.WaitGroup
		writer.Go(func() { // one: those that wait for a lock would hold the bubble's clock
			for _, s := range streams {
				_, _ = s.Write(make([]byte, 128<<10)) // it may end with the session
			}
		})
		began := time.Now()
		<-streams[0].Lost()
		if err := streams[0].LostErr(); !errors.Is(err, wire.NewError(wire.Limit, "")) {
			t.Errorf("the session ends with %v, want limit", err)
		}
		if took := time.Since(began); took < 15*time.Second || took > 17*time.Second {
			t.Errorf("it ends after %s, want 15 s", took)
		}
		writer.Wait()
	})
}

// A session that holds more memory than is free opens no stream more, while others do.
func TestScarceMemoryRefusesStreamsOfTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := budget.New(8<<20, session.MemoryFloor)
		w := newWorld(t, session.Config{Handle: unread, Memory: memory})
		large := w.full(memory, 2<<20)
		defer large.Close()
		hog := memory.Account()
		defer hog.Close()
		hog.Hold(5 << 20)
		small, _ := w.client()
		defer small.Close()
		for _, test := range []struct {
			who  string
			from *client.Client
			want wire.Code
		}{
			{"largest", large, wire.Limit},
			{"smallest", small, wire.OK},
		} {
			s, err := test.from.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("192.0.2.9"), Port: 1})
			if err != nil {
				t.Fatal(err)
			}
			if result, err := s.Result(t.Context()); err != nil || result.Code != test.want {
				t.Errorf("the %s session: result %+v, error %v, want %s", test.who, result, err, test.want)
			}
		}
	})
}
