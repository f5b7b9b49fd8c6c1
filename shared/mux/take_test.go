package mux_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestDetachedStreamIsHeldUntilItIsReleased: its place is taken, and the session waits
// for it, after its handler has returned.
func TestDetachedStreamIsHeldUntilItIsReleased(t *testing.T) {
	released, closed := make(chan func(), 2), make(chan struct{})
	var order []string
	e := connect(t, mux.Config{MaxStreams: func() int { return 2 }}, func(ctx context.Context, s *mux.Stream) { // one of them is the control stream
		s.After(func() { order = append(order, "after") })
		released <- s.Detach()
		accepted(t, func(s *mux.Stream) { _ = s.Close() })(ctx, s)
	})
	first := open(t, e.client)
	if _, err := io.Copy(io.Discard, first); err != nil {
		t.Fatal(err)
	}
	_ = first.Close()
	second, err := e.client.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	for e.server.Streams() > 0 { // the first, which is over and still held
		runtime.Gosched()
	}
	if len(order) != 0 {
		t.Errorf("%v before the release", order)
	}
	order = append(order, "release")
	(<-released)() // both directions of the first have ended: now there is room for the second
	if _, err := second.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"release", "after"}) {
		t.Errorf("order: %v", order)
	}
	_ = second.Close()
	go func() {
		defer close(closed)
		e.server.Close()
	}()
	<-e.server.Done()
	select {
	case <-closed:
		t.Error("the session did not wait for a stream that is detached")
	default:
	}
	(<-released)()
	<-closed
}

// TestWaitReadable: it returns with bytes, with the end, and with the session's end, and
// takes nothing.
func TestWaitReadable(t *testing.T) {
	awaited := make(chan string, 3)
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		defer s.Close()
		s.WaitReadable()
		b := make([]byte, 10)
		n, _ := s.Read(b) // what it lacks the test sees
		awaited <- string(b[:n])
		s.WaitReadable()
		if n, err := s.Read(b); n == 0 && err == io.EOF {
			awaited <- "end"
		}
	}))
	stream := open(t, e.client)
	if _, err := stream.Write([]byte("bytes")); err != nil {
		t.Fatal(err)
	}
	if got := <-awaited; got != "bytes" {
		t.Errorf("read %q", got)
	}
	_ = stream.Close()
	if got := <-awaited; got != "end" {
		t.Errorf("read %q", got)
	}
}

// TestHandlersContextHasTheCause: a handler can say why its session has ended.
func TestHandlersContextHasTheCause(t *testing.T) {
	cause := make(chan error, 1)
	e := connect(t, mux.Config{}, func(ctx context.Context, s *mux.Stream) {
		accepted(t, func(*mux.Stream) {})(ctx, s)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		_ = s.Close()
	})
	open(t, e.client)
	e.serverLink.Fail(wire.NewError(wire.Idle, "for a reason"))
	if err := <-cause; !isCode(err, wire.Idle) || err.Error() != e.server.Err().Error() {
		t.Errorf("cause %v, want %v", err, e.server.Err())
	}
}

// TestCleanCloseServesWhatWaits: streams that were not taken yet when the session was closed are
// served with what they carry.
func TestCleanCloseServesWhatWaits(t *testing.T) {
	const n = 100
	first, got := make(chan struct{}, n), make(chan string, n)
	release := make(chan struct{})
	e := connect(t, mux.Config{MaxStreams: func() int { return 4 }}, func(_ context.Context, s *mux.Stream) {
		first <- struct{}{}
		<-release
		_ = s.Reply(wire.Result{}) // nothing reads it
		b, err := io.ReadAll(s)
		if err != nil {
			t.Errorf("read: %v", err)
		}
		got <- string(b)
		_ = s.Close()
	})
	for range n {
		stream, err := e.client.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Write([]byte("all")); err != nil {
			t.Fatal(err)
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	<-first
	if err := e.clientLink.Shutdown(t.Context(), wire.OK, ""); err != nil {
		t.Fatal(err)
	}
	<-e.server.Done()
	close(release)
	for range n {
		if b := <-got; b != "all" {
			t.Errorf("the acceptor got %q", b)
		}
	}
}

// TestRoomComesBack: streams that are gone make room for others, also those that yamux has reset.
func TestRoomComesBack(t *testing.T) {
	e := connect(t, mux.Config{MaxStreams: func() int { return 3 }}, accepted(t, echo)) // one of them is the control stream
	for range 20 {
		a, b := open(t, e.client), open(t, e.client)
		for _, s := range []*mux.Stream{a, b} {
			if err := s.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	e.gone(t)

	conn := &gulp{deaf: newDeaf(), most: 1 << 20}
	served := make(chan uint32, 100)
	s, err := mux.Server(muxtest.New(conn), mux.Config{MaxStreams: func() int { return 1 }}, func(_ context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{}) // the stream may have been reset already
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
		served <- s.ID()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for id := uint32(3); id < 43; id += 2 {
		if _, err := conn.feed.Write(append(request(t, id, target), frame(update, rst, id, 0)...)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.feed.Write(append(request(t, 43, target), frame(update, fin, 43, 0)...)); err != nil {
		t.Fatal(err)
	}
	for id := uint32(0); id != 43; {
		select {
		case id = <-served:
		case <-time.After(30 * time.Second):
			t.Fatal("the last stream was not served")
		}
	}
}
