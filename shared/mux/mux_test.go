package mux_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"go.uber.org/goleak"
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

var target = wire.Request{Kind: wire.TCP, Host: "example.org", Port: 7}

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
	asked := wire.Request{Kind: wire.TCP, Host: "2001:db8::9", Port: 443, Timeout: time.Second, Family: 6}
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
		_ = s.Reply(wire.Result{}) // may come too late for the opener
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
	_ = stream.StopRead(wire.Aborted)
	if err := <-stopped; !isCode(err, wire.Aborted) {
		t.Errorf("server write: %v", err)
	}
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after StopRead: %v", err)
	}
	if _, err := stream.Write([]byte("still")); err != nil {
		t.Errorf("write after StopRead: %v", err)
	}
	_ = stream.Close()
	e.gone(t)
}

// TestManyStreams: digests of many streams at once, and nothing remains of them.
func TestManyStreams(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, echo))
	var wait sync.WaitGroup
	for i := range 100 {
		wait.Go(func() {
			stream := open(t, e.client)
			want := make([]byte, 100_000)
			rand.NewChaCha8([32]byte{byte(i)}).Read(want)
			go func() {
				if _, err := stream.Write(want); err != nil {
					t.Errorf("write: %v", err)
				}
				_ = stream.CloseWrite()
			}()
			got, err := io.ReadAll(stream)
			if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("stream %d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	wait.Wait()
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

func TestYamuxViolationIsToldToTheOtherEnd(t *testing.T) {
	server, client := link.New(link.Config{}), link.New(link.Config{})
	a, b := linktest.Pipe()
	var runs sync.WaitGroup
	runs.Go(func() { _ = client.Run(context.Background(), a, 0) }) // end with their links
	runs.Go(func() { _ = server.Run(context.Background(), b, 0) })
	s, err := mux.Server(server, mux.Config{}, accepted(t, echo))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Write(bytes.Repeat([]byte{9}, 12)); err != nil {
		t.Fatal(err)
	}
	<-client.Done()
	if err := client.Err(); !isCode(err, wire.Protocol) || !strings.Contains(err.Error(), "ersion") {
		t.Errorf("the offender is told: %v", err)
	}
	s.Close()
	client.Close()
	runs.Wait()
}

func TestDrainAndNotice(t *testing.T) {
	told := make(chan string, 2)
	e := connect(t, mux.Config{
		OnDrain:  func(in time.Duration, text string) { told <- in.String() + " " + text },
		OnNotice: func(_ wire.Level, code wire.Code, text string) { told <- code.String() + " " + text },
	}, accepted(t, echo))
	e.server.Drain(3*time.Second, "going")
	e.server.Notify(wire.Warning, wire.Limit, "near")
	for _, want := range []string{"3s going", "limit near"} {
		if got := <-told; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}

// The result of the control stream comes first, however early there is something to tell.
func TestNewsDoNotOvertakeTheResult(t *testing.T) {
	for range 1000 {
		told := make(chan string, 1)
		e := connect(t, mux.Config{OnDrain: func(_ time.Duration, text string) { told <- text }}, accepted(t, echo))
		e.server.Drain(time.Second, "going")
		select {
		case <-told:
		case <-e.client.Done():
			t.Fatalf("the session has ended: %v", e.client.Err())
		}
		e.client.Close()
	}
}

func BenchmarkStream(b *testing.B) {
	e := connect(b, mux.Config{}, accepted(b, func(s *mux.Stream) {
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	}))
	stream := open(b, e.client)
	piece := make([]byte, 64<<10)
	b.SetBytes(int64(len(piece)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := stream.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	_ = stream.Close()
}
