package mux_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestHalfCloseBothWays(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		b, err := io.ReadAll(s)
		if err != nil || string(b) != "question" {
			t.Errorf("server read %q, %v", b, err)
		}
		for range 3 { // long after the client's FIN
			if _, err := s.Write([]byte("answer ")); err != nil {
				t.Errorf("server write: %v", err)
			}
		}
		_ = s.Close()
	}))
	stream := open(t, e.client)
	if _, err := stream.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(stream); err != nil || string(b) != "answer answer answer " {
		t.Errorf("client read %q, %v", b, err)
	}
	if _, err := stream.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after CloseWrite: %v", err)
	}
	e.gone(t)
}

// TestFINInOneMessage: opened, written and ended before the server has looked even once.
func TestFINInOneMessage(t *testing.T) {
	const n = 300
	got := make(chan string, n)
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		b, err := io.ReadAll(s)
		if err != nil {
			t.Errorf("server read: %v", err)
		}
		got <- string(b)
		_ = s.Close()
	}))
	for range n {
		stream, err := e.client.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Write([]byte("all")); err != nil {
			t.Fatal(err)
		}
		_ = stream.CloseWrite()
	}
	for range n {
		if b := <-got; b != "all" {
			t.Errorf("server got %q", b)
		}
	}
}

// TestReset: the reader gets exactly the bytes before the reset, then its code, never an EOF.
func TestReset(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 200_000} {
		e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
			if _, err := s.Write(make([]byte, size)); err != nil {
				t.Errorf("write: %v", err)
			}
			if err := s.Reset(wire.Reset, "by the target"); err != nil {
				t.Errorf("reset: %v", err)
			}
		}))
		stream := open(t, e.client)
		b, err := io.ReadAll(stream)
		var e2 *wire.Error
		if !errors.As(err, &e2) || e2.Code != wire.Reset || e2.Text != "by the target" || len(b) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(b), err)
		}
		if _, err := stream.Write([]byte("x")); !isCode(err, wire.Reset) {
			t.Errorf("write after the reset: %v", err)
		}
		_ = stream.Close()
		e.gone(t)
	}
}

// TestResetByTheOpenerBeforeItIsAccepted: news about a stream may be faster than the acceptor.
func TestResetByTheOpenerBeforeItIsAccepted(t *testing.T) {
	const n = 100
	ends := make(chan error, n)
	e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{}) // may come too late for the initiator
		_, err := io.Copy(io.Discard, s)
		ends <- err
		_ = s.Close()
	})
	for range n {
		stream, err := e.client.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.Reset(wire.Aborted, "")
	}
	for range n {
		if err := <-ends; !isCode(err, wire.Aborted) {
			t.Errorf("server read: %v", err)
		}
	}
	e.gone(t)
}

func TestResetInterruptsAWriteThatWaits(t *testing.T) {
	release := make(chan struct{})
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		<-release // never reads
		_ = s.Close()
	}))
	stream := open(t, e.client)
	wrote := make(chan error)
	go func() {
		_, err := stream.Write(make([]byte, 8<<20))
		wrote <- err
	}()
	_ = stream.Reset(wire.Aborted, "enough")
	if err := <-wrote; !isCode(err, wire.Aborted) {
		t.Errorf("write: %v", err)
	}
	close(release)
	e.gone(t)
}

func TestStop(t *testing.T) {
	stopped := make(chan error, 1)
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		var err error
		for err == nil {
			_, err = s.Write(make([]byte, 100_000))
		}
		stopped <- err
		b, err := io.ReadAll(s) // the other direction goes on
		if err != nil || string(b) != "still" {
			t.Errorf("server read %q, %v", b, err)
		}
		_ = s.Close()
	}))
	stream := open(t, e.client)
	if _, err := io.ReadFull(stream, make([]byte, 10_000)); err != nil {
		t.Fatal(err)
	}
	_ = stream.CancelRead(wire.Aborted)
	if err := <-stopped; !isCode(err, wire.Aborted) {
		t.Errorf("server write: %v", err)
	}
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after CancelRead: %v", err)
	}
	if _, err := stream.Write([]byte("still")); err != nil {
		t.Errorf("write after CancelRead: %v", err)
	}
	_ = stream.Close()
	e.gone(t)
}

func TestEndOfTheSessionIsNoEOF(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) { _, _ = io.Copy(io.Discard, s) }))
	stream := open(t, e.client)
	if err := e.serverLink.Shutdown(t.Context(), wire.Draining, "bye"); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Read(make([]byte, 1)); !isCode(err, wire.Draining) {
		t.Errorf("read: %v", err)
	}
	if _, err := stream.Write([]byte("x")); !isCode(err, wire.Draining) {
		t.Errorf("write: %v", err)
	}
	<-e.client.Done()
	if _, err := e.client.Open(target); !isCode(err, wire.Draining) {
		t.Errorf("open: %v", err)
	}
}
