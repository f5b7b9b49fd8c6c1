package link_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestShutdownInVain: a link that could not send all in time never says CLOSE ok, which means
// that all bytes came before it.
func TestShutdownInVain(t *testing.T) {
	for _, code := range []wire.Code{wire.OK, wire.Draining} {
		l := link.New(link.Config{})
		if _, err := l.Write(make([]byte, 10_000)); err != nil {
			t.Fatal(err)
		}
		in, cancel := context.WithCancel(t.Context())
		cancel() // the time is over at once
		if err := l.Shutdown(in, code, "bye"); !errors.Is(err, context.Canceled) {
			t.Errorf("shutdown: %v", err)
		}
		a, b := linktest.Pipe()
		var run sync.WaitGroup
		run.Go(func() { _ = l.Run(t.Context(), a, 0) }) // the link has ended
		want := code
		if code == wire.OK {
			want = wire.Aborted
		}
		if err := l.Err(); !errors.Is(err, wire.NewError(want, "")) {
			t.Errorf("after %s in vain the link ended with %v", code, err)
		}
		for {
			m, err := b.Receive(t.Context())
			if err != nil {
				break
			}
			if decoded, err := wire.Decode(m); err != nil {
				t.Error(err)
			} else if c, ok := decoded.(wire.Close); ok && c.Code != want {
				t.Errorf("the other end is told %s, want %s", c.Code, want)
			}
		}
		run.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
