package mux_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends is a client and a server joined by links in memory.
type ends struct {
	client, server         *mux.Session
	clientLink, serverLink *link.Link
	carrier                *linktest.Carrier
	kept                   linktest.Bodies
}

// connect starts both ends; handle serves the streams.
func connect(t testing.TB, config mux.Config, handle func(context.Context, *mux.Stream)) *ends {
	t.Helper()
	e := &ends{clientLink: link.New(link.Config{TakesBare: true}), serverLink: link.New(link.Config{})}
	e.serverLink.SendBare()
	a, b := linktest.Pipe()
	e.carrier = a
	var runs sync.WaitGroup
	runs.Go(func() { _ = e.clientLink.Run(context.Background(), linktest.Keeper{Carrier: a, Bodies: &e.kept}, 0) }) // end with their links
	runs.Go(func() { _ = e.serverLink.Run(context.Background(), b, 0) })
	var err error
	if e.server, err = mux.Server(e.serverLink, config, handle); err != nil {
		t.Fatal(err)
	}
	if e.client, err = mux.Client(e.clientLink, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.client.Close()
		e.server.Close()
		runs.Wait()
		if n := e.kept.Held.Load(); n != 0 {
			t.Errorf("%d bare messages were not released", n)
		}
	})
	return e
}

var target = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}

// open opens a stream and waits for its ok.
func open(t testing.TB, s *mux.Session) *mux.Stream {
	t.Helper()
	stream, err := s.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := stream.Result(t.Context()); err != nil || result.Code != wire.OK {
		t.Fatalf("result: %+v, %v", result, err)
	}
	return stream
}

// accepted answers ok and calls serve; a test fails if the answer cannot be sent.
func accepted(t testing.TB, serve func(*mux.Stream)) func(context.Context, *mux.Stream) {
	return func(_ context.Context, s *mux.Stream) {
		if err := s.Reply(wire.Result{}); err != nil {
			t.Errorf("reply: %v", err)
		}
		serve(s)
	}
}

func echo(s *mux.Stream) {
	_, _ = io.Copy(s, s) // the client checks what comes back
	_ = s.Close()
}

func isCode(err error, code wire.Code) bool { return errors.Is(err, wire.NewError(code, "")) }

// gone waits until both ends have given every stream back.
func (e *ends) gone(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for e.client.Streams()+e.server.Streams() > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("streams remain: client %d, server %d", e.client.Streams(), e.server.Streams())
		}
		time.Sleep(time.Millisecond) // polls a counter, bounded above
	}
}
