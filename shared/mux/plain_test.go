package mux_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/hashicorp/yamux"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// plainEnds joins hashicorp/yamux's client and a PlainServer.
func plainEnds(t *testing.T, config mux.Config, handle func(context.Context, *mux.Stream)) (*yamux.Session, *mux.PlainSession) {
	t.Helper()
	a, b := net.Pipe()
	server, err := mux.PlainServer(muxtest.New(b), config, handle)
	if err != nil {
		t.Fatal(err)
	}
	client, err := yamux.Client(a, yamuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		server.Close()
	})
	return client, server
}

// TestPlainClient has streams of hashicorp/yamux carry more than a window each way, from
// the first one on, and end with both half-closes.
func TestPlainClient(t *testing.T) {
	client, _ := plainEnds(t, mux.Config{}, accepted(t, echo))
	var streams sync.WaitGroup
	for range 3 {
		stream := yamuxOpen(t, client, target)
		streams.Go(func() {
			sent := make([]byte, 3<<20)
			rand.NewChaCha8([32]byte{}).Read(sent)
			go func() {
				if _, err := stream.Write(sent); err != nil {
					t.Errorf("write: %v", err)
				}
				if err := stream.Close(); err != nil { // yamux's half-close
					t.Errorf("close: %v", err)
				}
			}()
			if got, err := io.ReadAll(stream); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came back of %d, %v", len(got), len(sent), err)
			}
		})
	}
	streams.Wait()
	for client.NumStreams() > 0 {
		runtime.Gosched() // until the FINs have crossed
	}
}

// TestPlainControlIsNoKind hands a request for a control stream to the handler, as any
// other.
func TestPlainControlIsNoKind(t *testing.T) {
	asked := make(chan wire.Kind, 1)
	client, _ := plainEnds(t, mux.Config{}, func(ctx context.Context, s *mux.Stream) {
		asked <- s.Request().Kind
		accepted(t, echo)(ctx, s)
	})
	stream := yamuxOpen(t, client, wire.Request{Kind: wire.Control})
	defer stream.Close()
	if kind := <-asked; kind != wire.Control {
		t.Errorf("the handler was asked for %s", kind)
	}
}

// TestPlainReset tells the client by RST, behind what was written.
func TestPlainReset(t *testing.T) {
	readIt := make(chan struct{})
	client, server := plainEnds(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		if _, err := s.Write([]byte("before")); err != nil {
			t.Errorf("write: %v", err)
		}
		<-readIt
		if err := s.Reset(wire.Reset, "the target has reset the connection"); err != nil {
			t.Errorf("reset: %v", err)
		}
		if _, err := s.Write([]byte("x")); !isCode(err, wire.Reset) {
			t.Errorf("write after the reset: %v", err)
		}
		if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.Reset) {
			t.Errorf("read after the reset: %v", err)
		}
	}))
	stream := yamuxOpen(t, client, target)
	if _, err := io.ReadFull(stream, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	close(readIt)
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, yamux.ErrConnectionReset) {
		t.Errorf("the client reads %v", err)
	}
	for server.Streams() > 0 {
		runtime.Gosched() // until the handler has returned
	}
}

// TestPlainClientResets gives the handler an error, and what it writes an end.
func TestPlainClientResets(t *testing.T) {
	conn := taking{newDeaf()}
	ends := make(chan error, 3)
	s, err := mux.PlainServer(muxtest.New(conn), mux.Config{}, func(_ context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{}) // the client may be gone
		_, err := io.ReadAll(s)
		ends <- err
		<-s.Stopped()
		_, err = s.Write([]byte("x"))
		ends <- err
		if s.ClosedCleanly() {
			ends <- errors.New("the stream was closed cleanly")
		}
		ends <- s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := conn.feed.Write(append(request(t, 1, target), frame(update, rst, 1, 0)...)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ends; !isCode(err, wire.Aborted) {
			t.Errorf("the handler got %v", err)
		}
	}
	if err := <-ends; err != nil {
		t.Error(err)
	}
}

// TestPlainDrain sends no GoAway, at which some libraries end every stream.
func TestPlainDrain(t *testing.T) {
	client, server := plainEnds(t, mux.Config{}, accepted(t, echo))
	stream := yamuxOpen(t, client, target)
	server.Drain(time.Second, "the server is going away")
	server.Notify(wire.Info, wire.OK, "nothing of this can be said")
	if _, err := client.Ping(); err != nil { // answered behind what was sent
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte("still")); err != nil {
		t.Error(err)
	}
	_ = stream.Close()
	if got, err := io.ReadAll(stream); err != nil || string(got) != "still" {
		t.Errorf("read %q, %v", got, err)
	}
	// hashicorp/yamux opens none behind a GoAway.
	if got, err := io.ReadAll(ended(yamuxOpen(t, client, target))); err != nil || len(got) > 0 {
		t.Errorf("read %q, %v", got, err)
	}
}

// ended is a stream whose direction of the client has ended.
func ended(stream *yamux.Stream) *yamux.Stream {
	_ = stream.Close() // its end is read
	return stream
}

// TestPlainPing measures the round trip, asks once at a time, and takes no answer that it
// has not asked for.
func TestPlainPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &watched{deaf: newDeaf()}
		pings := make(chan struct{}, 10)
		conn.frame = func(kind byte, _ uint16, _ uint32) {
			if kind == ping {
				pings <- struct{}{}
			}
		}
		s, err := mux.PlainServer(muxtest.New(conn), mux.Config{}, func(context.Context, *mux.Stream) {})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		pong := func(opaque uint32) {
			if _, err := conn.feed.Write(frame(ping, ack, 0, opaque)); err != nil {
				t.Fatal(err)
			}
		}
		s.Ping()
		s.Ping()
		<-pings
		pong(77)
		if rtt := s.RTT(); rtt != 0 {
			t.Errorf("round trip %s before the answer", rtt)
		}
		time.Sleep(time.Second)
		pong(1)
		synctest.Wait()
		if rtt := s.RTT(); rtt < time.Second || rtt > 2*time.Second {
			t.Errorf("round trip %s, want about a second", rtt)
		}
		select {
		case <-pings:
			t.Error("a second ping was sent before the answer to the first")
		default:
		}
		s.Ping()
		<-pings
	})
}

// TestPlainCleanClose delivers what had its FIN, and gives an error for what had none.
func TestPlainCleanClose(t *testing.T) {
	for _, test := range []struct {
		what  string
		bytes []byte
		clean bool
	}{
		{"FIN", frame(data, fin, 1, 5, 'w', 'h', 'o', 'l', 'e'), true},
		{"no FIN", frame(data, 0, 1, 5, 'w', 'h', 'o', 'l', 'e'), false},
		{"inside a frame", frame(data, fin, 1, 500, 'w', 'h', 'o', 'l', 'e'), false},
		{"FIN, then RST", append(frame(data, fin, 1, 5, 'w', 'h', 'o', 'l', 'e'), frame(update, rst, 1, 0)...), false},
	} {
		t.Run(test.what, func(t *testing.T) {
			conn := &ending{taking: taking{newDeaf()}, left: bytes.NewReader(append(request(t, 1, target), test.bytes...))}
			conn.under = muxtest.New(conn)
			type end struct {
				bytes string
				err   error
				clean bool
			}
			ends := make(chan end, 1)
			s, err := mux.PlainServer(conn.under, mux.Config{}, func(ctx context.Context, s *mux.Stream) {
				_ = s.Reply(wire.Result{}) // nothing reads it
				<-ctx.Done()
				b, err := io.ReadAll(s)
				ends <- end{string(b), err, s.ClosedCleanly()}
				_ = s.Close()
			})
			if err != nil {
				t.Fatal(err)
			}
			got := <-ends
			if got.clean != test.clean || test.clean && (got.bytes != "whole" || got.err != nil) {
				t.Errorf("%q, %v, clean %t; want clean %t", got.bytes, got.err, got.clean, test.clean)
			}
			s.Close()
		})
	}
}

// ending is a connection that the other end closes cleanly behind some bytes.
type ending struct {
	taking
	under *muxtest.Conn
	left  io.Reader
}

func (e *ending) Read(b []byte) (int, error) {
	n, err := e.left.Read(b)
	if err == io.EOF {
		e.under.Fail(wire.NewError(wire.OK, ""))
	}
	return n, err
}

// TestPlainStreamsAreForgotten keeps nothing of streams that both ends have ended. The
// runtime drops stopped timers once they are a quarter of all.
func TestPlainStreamsAreForgotten(t *testing.T) {
	const all = 200
	seen := make(chan weak.Pointer[mux.Stream], all)
	client, server := plainEnds(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{Code: wire.Denied, Text: "no"}) // fails only with the session
		_ = s.Close()                                           // waits for the client's FIN from now on
		seen <- weak.Make(s)
	})
	pointers := make([]weak.Pointer[mux.Stream], 0, all)
	for range all {
		stream := yamuxAsk(t, client, target)
		pointers = append(pointers, <-seen)
		if _, err := io.ReadAll(stream); err != nil {
			t.Fatal(err)
		}
		_ = stream.Close() // its end is seen below
	}
	for server.Streams() > 0 {
		runtime.Gosched()
	}
	left := func() (n int) {
		runtime.GC()
		for _, p := range pointers {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(10 * time.Second); left() > all/2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d streams that have ended are still in memory", left(), all)
		}
	}
}
