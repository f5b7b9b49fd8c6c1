package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// pour answers ok and gives the client bytes as a fast target's come.
func pour(b []byte) func(context.Context, *mux.Stream, session.Client) {
	return func(_ context.Context, s *mux.Stream, _ session.Client) {
		defer s.Close()
		if s.Reply(wire.Result{}) != nil {
			return
		}
		for rest, n := b, 0; len(rest) > 0; rest = rest[n:] {
			n = 0
			if _, err := s.Fill(func(room []byte) int { n = copy(room, rest); return n }); err != nil {
				return
			}
		}
	}
}

// TestBare: a client that takes bare messages gets them, over carriers that are lost meanwhile; one that does not gets the same bytes.
func TestBare(t *testing.T) {
	want := make([]byte, 48<<20)
	_, _ = rand.NewChaCha8([32]byte{9}).Read(want) // never fails
	for _, bare := range []bool{true, false} {
		w := newWorld(t, session.Config{Grace: time.Minute, MaxParked: 10, Handle: pour(want)})
		var kept linktest.Bodies
		c := client.New(client.Config{Bare: bare, Dial: func(ctx context.Context) (link.Carrier, error) {
			c, err := w.dial(ctx)
			if err != nil {
				return nil, err
			}
			return linktest.Keeper{Carrier: c.(*linktest.Carrier), Bodies: &kept}, nil
		}})
		stream, err := c.Open(wire.Request{Kind: wire.TCP, Host: "example.org", Port: 7})
		if err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 64<<10)
		for at, cuts := 0, 0; ; {
			n, body, err := stream.ReadOrTake(buffer, 1<<20)
			if errors.Is(err, io.EOF) && at == len(want) {
				break
			}
			if err != nil {
				t.Fatalf("after %d bytes: %v", at, err)
			}
			got := buffer[:min(n, len(buffer))]
			if body != nil {
				got = make([]byte, n)
				body.CopyAt(got, 0)
				body.Release()
			}
			if !bytes.Equal(got, want[at:at+n]) {
				t.Fatalf("%d bytes at %d differ", n, at)
			}
			if at += n; at > (cuts+1)*len(want)/5 && cuts < 3 {
				w.last().Cut()
				cuts++
			}
		}
		if came := kept.Came.Load(); bare && came < 3 || !bare && came > 0 {
			t.Errorf("bare %t: %d bare messages", bare, came)
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
		c.Close()
		if n := kept.Held.Load(); n != 0 {
			t.Errorf("%d bare messages were not released", n)
		}
		if w.dials() != 4 {
			t.Errorf("%d carriers", w.dials())
		}
	}
}

// TestBareIsAgreed: the welcome repeats what the client takes, whether sessions are kept or not.
func TestBareIsAgreed(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		w := newWorld(t, session.Config{Grace: grace, MaxParked: 10})
		for _, asked := range []wire.Capabilities{0, wire.CanBare, wire.CanResume, wire.CanResume | wire.CanBare} {
			want := asked
			if grace == 0 {
				want &^= wire.CanResume
			}
			m, _ := w.hello(wire.Hello{Version: wire.Version, Capabilities: asked})
			if got, ok := m.(wire.Welcome); !ok || got.Capabilities != want {
				t.Errorf("grace %s, asked %b: %+v", grace, asked, m)
			}
		}
	}
}
