package mux_test

import (
	"context"
	"io"
	"runtime"
	"slices"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestDetachedStreamIsHeldUntilItIsReleased: its place is taken, and the session waits for it, after its handler has returned.
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

// TestAwait: it returns with bytes, with the end, and with the session's end, and takes nothing.
func TestAwait(t *testing.T) {
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
