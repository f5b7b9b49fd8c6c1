package mux_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestClosedBeforeTheResult: an initiator that closes before the answer still gets the answer,
// and the acceptor gets what was written, and can answer.
func TestClosedBeforeTheResult(t *testing.T) {
	for _, code := range []wire.Code{wire.OK, wire.Refused} {
		closed := make(chan struct{})
		got := make(chan string, 1)
		e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
			<-closed
			<-s.Stopped() // a stop has come before the reply
			b, err := io.ReadAll(s)
			if err != nil {
				t.Errorf("read: %v", err)
			}
			got <- string(b)
			if err := s.Reply(wire.Result{Code: code}); err != nil {
				t.Errorf("reply: %v", err)
			}
			if _, err := s.Write([]byte("x")); !isCode(err, wire.Aborted) && !isCode(err, code) {
				t.Errorf("write: %v", err)
			}
			_ = s.Close()
		})
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
		close(closed)
		if b := <-got; b != "all" {
			t.Errorf("the acceptor got %q", b)
		}
		if result, err := stream.Result(t.Context()); err != nil || result.Code != code {
			t.Errorf("result: %+v, %v; want %s", result, err, code)
		}
		if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) && !isCode(err, code) {
			t.Errorf("read: %v", err)
		}
		e.gone(t)
	}
}

// TestResetBeforeTheReply: no result is needed then, and Reply is no error.
func TestResetBeforeTheReply(t *testing.T) {
	e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		if _, err := io.ReadAll(s); !isCode(err, wire.Aborted) {
			t.Errorf("read: %v", err)
		}
		if err := s.Reply(wire.Result{}); err != nil {
			t.Errorf("reply: %v", err)
		}
		_ = s.Close()
	})
	stream, err := e.client.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Reset(wire.Aborted, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Result(t.Context()); !isCode(err, wire.Aborted) {
		t.Errorf("result: %v", err)
	}
	e.gone(t)
}

// TestRefusalWithoutResult: a Write ends with the refusal, without a call of Result.
func TestRefusalWithoutResult(t *testing.T) {
	e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		if err := s.Reply(wire.Result{Code: wire.Denied, Text: "no"}); err != nil {
			t.Errorf("reply: %v", err)
		}
	})
	stream, err := e.client.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(make([]byte, 8<<20)); !isCode(err, wire.Denied) {
		t.Errorf("write: %v", err)
	}
	e.gone(t) // both ends have sent FIN
}

// TestCloseStreams: FIN for what was written, a reset for a Write that is under way, and both
// before the end of the session.
func TestCloseStreams(t *testing.T) {
	type end struct {
		n     int
		err   error
		clean bool
	}
	saw, release := make(chan end, 3), make(chan struct{})
	var e *ends
	e = connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		<-release
		b, err := io.ReadAll(s)
		<-e.server.Done()
		saw <- end{len(b), err, s.ClosedCleanly()}
		_ = s.Close()
	}))
	whole, half := open(t, e.client), open(t, e.client)
	if _, err := whole.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	const least = 100_000
	if _, err := half.Write(make([]byte, least)); err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	go func() {
		close(began)
		_, err := half.Write(make([]byte, 8<<20)) // more than its window
		wrote <- err
	}()
	<-began
	for e.client.Writing() == 0 { // until the Write is under way
		runtime.Gosched()
	}
	if err := e.client.CloseStreams(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; !isCode(err, wire.Aborted) {
		t.Errorf("the write under way: %v", err)
	}
	if _, err := whole.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write afterwards: %v", err)
	}
	if err := e.clientLink.Shutdown(t.Context(), wire.OK, ""); err != nil {
		t.Fatal(err)
	}
	<-e.server.Done()
	close(release)
	for range 2 {
		switch g := <-saw; {
		case g.n == 100_000 && g.err == nil && g.clean:
		case g.n >= least && isCode(g.err, wire.Aborted) && !g.clean:
		default:
			t.Errorf("%d bytes, then %v", g.n, g.err)
		}
	}
}

// heldConn is a Conn whose frames of data wait for a release.
type heldConn struct {
	*muxtest.Conn
	release chan struct{}
}

// WriteParts implements mux.Conn.
func (c *heldConn) WriteParts(first, second []byte) (int, error) {
	if len(second) > 1000 {
		<-c.release
	}
	return c.Conn.WriteParts(first, second)
}

// TestCloseStreamsBehindAFrame: the reset of a stream whose frame is under way is with the
// connection before CloseStreams returns.
func TestCloseStreamsBehindAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		held := &heldConn{muxtest.New(a), make(chan struct{})}
		ended := make(chan error, 1)
		server, err := mux.Server(muxtest.New(b), mux.Config{}, accepted(t, func(s *mux.Stream) {
			_, err := io.Copy(io.Discard, s)
			ended <- err
			_ = s.Close()
		}))
		if err != nil {
			t.Fatal(err)
		}
		client, err := mux.Client(held, mux.Config{})
		if err != nil {
			t.Fatal(err)
		}
		stream := open(t, client)
		wrote := make(chan error, 1)
		go func() {
			_, err := stream.Write(make([]byte, 64<<10))
			wrote <- err
		}()
		synctest.Wait() // for the frame to be under way
		closed := make(chan error, 1)
		go func() { closed <- client.CloseStreams(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-closed:
			t.Errorf("CloseStreams returned before the frame was sent: %v", err)
		default:
		}
		close(held.release)
		<-wrote // what it returns is not what is tested
		if err := <-closed; err != nil {
			t.Error(err)
		}
		client.Close()
		if err := <-ended; !isCode(err, wire.Aborted) {
			t.Errorf("the acceptor got %v, want aborted", err)
		}
		server.Close()
	})
}

// TestClosedInsideAFrame: a peer that closes the session inside a frame has not sent all.
func TestClosedInsideAFrame(t *testing.T) {
	ended := make(chan bool, 1)
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		if _, err := io.Copy(io.Discard, s); !isCode(err, wire.Aborted) {
			t.Errorf("read: %v", err)
		}
		ended <- s.ClosedCleanly()
		_ = s.Close()
	}))
	stream := open(t, e.client)
	if _, err := e.clientLink.Write(append(frame(data, 0, stream.ID(), 1000), "part of it"...)); err != nil {
		t.Fatal(err)
	}
	if err := e.clientLink.Shutdown(t.Context(), wire.OK, ""); err != nil {
		t.Fatal(err)
	}
	if <-ended {
		t.Error("the end counts as clean")
	}
}
