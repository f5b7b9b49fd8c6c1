package session_test

import (
	"context"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

var endless = linktest.NewEndless(9)

// pour answers ok and gives the client bytes as a fast target's come, for as long as it takes them.
func pour(_ context.Context, s session.Stream, _ session.Client) {
	defer s.Close()
	if s.Reply(wire.Result{}) != nil {
		return
	}
	for at, n := 0, 0; ; at += n {
		n = 0
		if err := s.Fill(func(room []byte) int { n = endless.From(at, room); return n }); err != nil {
			return
		}
	}
}

// TestBare: a client that takes bare messages gets them, over carriers that are lost
// meanwhile; one that does not gets the same bytes.
func TestBare(t *testing.T) {
	const (
		carriers = 4
		each     = 8 << 20 // bytes over each at least
		most     = 1 << 30 // before the machine has been fast for a moment
	)
	for _, bare := range []bool{true, false} {
		w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10, Handle: pour})
		var kept linktest.Bodies
		c := client.New(client.Config{Bare: bare, Dial: func(ctx context.Context) (link.Carrier, error) {
			c, err := w.dial(ctx)
			if err != nil {
				return nil, err
			}
			return linktest.Keeper{Carrier: c.(*linktest.Carrier), Bodies: &kept}, nil
		}})
		stream, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7})
		if err != nil {
			t.Fatal(err)
		}
		buffer, cuts := make([]byte, 64<<10), 0
		for at := 0; at < carriers*each || bare && kept.Came.Load() < 3; {
			n, body, err := stream.ReadOrTake(buffer, wire.MaxMessage)
			if err != nil {
				t.Fatalf("after %d bytes: %v", at, err)
			}
			got := buffer[:min(n, len(buffer))]
			if body != nil {
				got = make([]byte, n)
				body.CopyAt(got, 0)
				body.Release()
			}
			if !endless.At(at, got) {
				t.Fatalf("%d bytes at %d differ", n, at)
			}
			if at += n; at > (cuts+1)*each && cuts < carriers-1 {
				w.last().Cut()
				cuts++
			}
			if at > most {
				t.Fatalf("%d bare messages in %d bytes", kept.Came.Load(), at)
			}
		}
		if came := kept.Came.Load(); !bare && came > 0 {
			t.Errorf("%d bare messages for a client that takes none", came)
		}
		if err := stream.Close(); err != nil {
			t.Error(err)
		}
		c.Close()
		if n := kept.Held.Load(); n != 0 {
			t.Errorf("%d bare messages were not released", n)
		}
		if w.dials() < carriers {
			t.Errorf("%d carriers", w.dials())
		}
	}
}

// TestBareIsAgreed: the welcome repeats what the client takes, whether sessions are kept or not.
func TestBareIsAgreed(t *testing.T) {
	for _, grace := range []time.Duration{0, time.Minute} {
		w := newWorld(t, session.Config{Grace: grace, MaxDetached: 10})
		for _, asked := range []wire.Capabilities{0, wire.CanBare, wire.CanResume, wire.CanResume | wire.CanBare, wire.CanJoin} {
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
