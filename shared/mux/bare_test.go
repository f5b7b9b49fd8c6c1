package mux_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
)

// pour gives the client bytes by Fill, as a relay does that reads from a fast target, until there are none or nobody wants them.
func pour(t *testing.T, b []byte) func(context.Context, *mux.Stream) {
	return accepted(t, func(s *mux.Stream) {
		defer s.Close()
		for len(b) > 0 {
			n := 0
			ok, err := s.Fill(func(room []byte) int {
				n = copy(room, b)
				return n
			})
			if !ok {
				t.Error("the link does not lend memory")
			}
			if err != nil {
				return
			}
			b = b[n:]
		}
	})
}

// TestBareMessagesComeWhole: on a fast path, to a reader that has a use for them.
func TestBareMessagesComeWhole(t *testing.T) {
	want := payload(48<<20, 5)
	e := connect(t, mux.Config{}, pour(t, want))
	stream := open(t, e.client)
	defer stream.Close()
	small, bodies := make([]byte, 32<<10), 0
	for at := 0; ; {
		n, body, err := stream.ReadOrTake(small, 1<<20)
		if errors.Is(err, io.EOF) {
			if at != len(want) {
				t.Errorf("%d bytes of %d", at, len(want))
			}
			break
		}
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
		if len(b) != n || !bytes.Equal(b, want[at:at+n]) {
			t.Fatalf("%d bytes at %d differ", n, at)
		}
		at += n
	}
	if bodies < 3 || int(e.kept.Came.Load()) != bodies {
		t.Errorf("%d bodies of %d bare messages", bodies, e.kept.Came.Load())
	}
}

// TestBareMessagesInParts: a reader with a small buffer of its own gets the same bytes.
func TestBareMessagesInParts(t *testing.T) {
	want := payload(24<<20, 6)
	e := connect(t, mux.Config{}, pour(t, want))
	stream := open(t, e.client)
	defer stream.Close()
	got, err := io.ReadAll(stream)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
	if e.kept.Came.Load() < 3 {
		t.Errorf("only %d bare messages", e.kept.Came.Load())
	}
}

// TestUnreadBareMessagesAreReleased: with their stream, and where they come for one that reads no more. connect's cleanup counts.
func TestUnreadBareMessagesAreReleased(t *testing.T) {
	e := connect(t, mux.Config{}, pour(t, payload(24<<20, 7)))
	stream := open(t, e.client)
	if _, err := io.CopyN(io.Discard, stream, 12<<20); err != nil { // the path is known to be fast
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := stream.ReadOrTake(nil, 1<<20); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	e.gone(t)
}

func payload(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}
