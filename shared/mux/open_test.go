package mux_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestRequestAndResult(t *testing.T) {
	want := wire.Result{Bound: netip.MustParseAddrPort("192.0.2.1:5"), Remote: netip.MustParseAddrPort("[2001:db8::1]:7"), Text: "hello"}
	requests := make(chan wire.Request, 1)
	e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		requests <- s.Request()
		if err := s.Reply(want); err != nil {
			t.Errorf("reply: %v", err)
		}
		echo(s)
	})
	asked := wire.Request{Kind: wire.TCP, Host: wire.ParseHost("2001:db8::9"), Port: 443, Timeout: time.Second, Family: 6}
	stream, err := e.client.Open(asked)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte("early")); err != nil { // before the answer
		t.Fatal(err)
	}
	result, err := stream.Result(t.Context())
	if err != nil || result != want {
		t.Errorf("result: %+v, %v", result, err)
	}
	if got := <-requests; got != asked {
		t.Errorf("request: %+v", got)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(stream); err != nil || string(b) != "early" {
		t.Errorf("echo: %q, %v", b, err)
	}
	_ = stream.Close()
	e.gone(t)
}

func TestRefusal(t *testing.T) {
	e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		if err := s.Reply(wire.Result{Code: wire.Denied, Text: "no"}); err != nil {
			t.Errorf("reply: %v", err)
		}
	})
	stream, err := e.client.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() { // more than any window: the refusal must end it
		_, err := stream.Write(make([]byte, 8<<20))
		written <- err
	}()
	if result, err := stream.Result(t.Context()); err != nil || result.Code != wire.Denied || result.Text != "no" {
		t.Errorf("result: %+v, %v", result, err)
	}
	if err := <-written; !isCode(err, wire.Denied) {
		t.Errorf("write: %v", err)
	}
	if _, err := stream.Read(make([]byte, 1)); !isCode(err, wire.Denied) {
		t.Errorf("read: %v", err)
	}
	e.gone(t)
}

func TestResultWaitsNoLongerThanItsContext(t *testing.T) {
	release := make(chan struct{})
	replied := make(chan struct{})
	e := connect(t, mux.Config{}, func(ctx context.Context, s *mux.Stream) {
		<-release
		accepted(t, func(s *mux.Stream) {
			close(replied)
			echo(s)
		})(ctx, s)
	})
	stream, err := e.client.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := stream.Result(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("result: %v", err)
	}
	close(release)
	if result, err := stream.Result(t.Context()); err != nil || result.Code != wire.OK {
		t.Errorf("later: %+v, %v", result, err)
	}
	<-replied // the result can be here before Reply has returned, and the end of the session would be its error
	_ = stream.Close()
}

func TestServerAnswersWhatItCannotRead(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, echo))
	second, err := e.client.Open(wire.Request{Kind: wire.Control})
	if err != nil {
		t.Fatal(err)
	}
	if result, err := second.Result(t.Context()); err != nil || result.Code != wire.InvalidRequest {
		t.Errorf("a second control stream: %+v, %v", result, err)
	}
	// The session is none the worse.
	stream := open(t, e.client)
	_ = stream.Close()
}
