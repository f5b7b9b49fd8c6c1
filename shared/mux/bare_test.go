package mux_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// enough is how many bytes a test waits for bare messages, which come as soon as the
// machine has been fast for a moment.
const enough = 1 << 30

var endless = linktest.NewEndless(5)

// pour gives the client bytes by Fill, as a relay does that reads from a fast target, for
// as long as it takes them.
func pour(t *testing.T) func(context.Context, *mux.Stream) {
	return accepted(t, func(s *mux.Stream) {
		defer s.Close()
		for at, n := 0, 0; ; at += n {
			n = 0
			err := s.Fill(func(room []byte) int {
				n = endless.From(at, room)
				return n
			})
			if err != nil {
				return
			}
		}
	})
}

// take reads until done says so, and returns how many bare messages came whole. most is
// what the reader has use for.
func take(t *testing.T, stream *mux.Stream, most int, done func(bodies int) bool) {
	t.Helper()
	small := make([]byte, 32<<10)
	for at, bodies := 0, 0; !done(bodies); {
		n, body, err := stream.ReadOrTake(small, most)
		if err != nil {
			t.Fatal(err)
		}
		b := small[:min(n, len(small))]
		if body != nil {
			bodies++
			b = make([]byte, body.Len())
			body.CopyAt(b, 0)
			body.Release()
		}
		if len(b) != n || !endless.At(at, b) {
			t.Fatalf("%d bytes at %d differ", n, at)
		}
		if at += n; at > enough {
			t.Fatalf("%d bare messages in %d bytes", bodies, at)
		}
	}
}

// TestBareMessagesComeWhole: on a fast path, to a reader that has a use for them.
func TestBareMessagesComeWhole(t *testing.T) {
	e := connect(t, mux.Config{}, pour(t))
	stream := open(t, e.client)
	take(t, stream, wire.MaxMessage, func(bodies int) bool { return bodies == 20 })
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

// TestBareMessagesInParts: a reader that has none gets the same bytes.
func TestBareMessagesInParts(t *testing.T) {
	e := connect(t, mux.Config{}, pour(t))
	stream := open(t, e.client)
	take(t, stream, 0, func(bodies int) bool {
		if bodies > 0 {
			t.Fatal("a body for a reader that has no use for it")
		}
		return e.kept.Came.Load() >= 20
	})
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
}

// TestUnreadBareMessagesAreReleased: with their stream, and where they come for one that
// reads no more. connect's cleanup counts.
func TestUnreadBareMessagesAreReleased(t *testing.T) {
	e := connect(t, mux.Config{}, pour(t))
	stream := open(t, e.client)
	take(t, stream, wire.MaxMessage, func(bodies int) bool { return bodies == 3 })
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := stream.ReadOrTake(nil, wire.MaxMessage); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	e.gone(t)
}
