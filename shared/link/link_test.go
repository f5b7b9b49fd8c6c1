package link_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is two links and the carriers that joined them last.
type pair struct {
	a, b *link.Link
	runs sync.WaitGroup
	errs chan error // of every Run
	kept linktest.Bodies
}

func newPair(t *testing.T, config link.Config) *pair {
	t.Helper()
	config.TakesBare = true
	p := &pair{a: link.New(config), b: link.New(config), errs: make(chan error, 1024)}
	p.a.SendBare()
	p.b.SendBare()
	p.a.Join()
	p.b.Join()
	t.Cleanup(func() {
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
		p.a.Close() // what came at the last moment
		p.b.Close()
		if n := p.kept.Held.Load(); n != 0 {
			t.Errorf("%d bare messages were not released", n)
		}
	})
	return p
}

// join runs both links over a new carrier and returns its ends. The first keeps bare messages.
func (p *pair) join(ctx context.Context) (a, b *linktest.Carrier) {
	a, b = linktest.Pipe()
	fromA, fromB := p.b.Received(), p.a.Received()
	p.runs.Go(func() { p.errs <- p.a.Run(ctx, linktest.Keeper{Carrier: a, Bodies: &p.kept}, fromA) })
	p.runs.Go(func() { p.errs <- p.b.Run(ctx, b, fromB) })
	return a, b
}

func payload(n int, seed uint64) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return b
}

// send writes b in pieces of random size, some of them by Fill, and ends the link's
// direction by closing the channel it returns.
func send(t *testing.T, l *link.Link, b []byte) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := rand.New(rand.NewPCG(1, uint64(len(b))))
		for len(b) > 0 {
			n, err := min(len(b), 1+r.IntN(100_000)), error(nil)
			few, made := r.IntN(4), 0
			put := func(from []byte) func([]byte) int {
				return func(room []byte) int {
					made = copy(room, from) * min(few, 2) / 2 // perhaps nothing
					return made
				}
			}
			switch r.IntN(2) {
			case 0:
				_, err = l.Write(b[:n])
			case 1:
				head := min(n-1, r.IntN(20))
				n = min(len(b)-head, 100_000)
				err = l.Fill(min(n, 4<<10), n, put(b[head:head+n]), func(int) []byte { return b[:head] })
				if n = made; made > 0 {
					n += head
				}
			}
			if err != nil {
				t.Errorf("write: %v", err)
				return
			}
			b = b[n:]
		}
	}()
	return done
}

func receive(t *testing.T, l *link.Link, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(l, b); err != nil {
		t.Errorf("read: %v", err)
	}
	return b
}

func TestBytesBothWays(t *testing.T) {
	p := newPair(t, link.Config{Bound: 300_000})
	p.join(t.Context())
	up, down := payload(5_000_000, 1), payload(3_000_000, 2)
	sentUp, sentDown := send(t, p.a, up), send(t, p.b, down)
	var got []byte
	var wait sync.WaitGroup
	wait.Go(func() { got = receive(t, p.a, len(down)) })
	if !bytes.Equal(receive(t, p.b, len(up)), up) {
		t.Error("bytes up differ")
	}
	wait.Wait()
	if !bytes.Equal(got, down) {
		t.Error("bytes down differ")
	}
	<-sentUp
	<-sentDown
	if s := p.b.Stats(); s.Received != uint64(len(up)) || s.Sent != uint64(len(down)) || s.RTT <= 0 {
		t.Errorf("stats: %+v", s)
	}
}

// TestCuts: carriers are cut after a random number of messages, again and again, while
// bytes flow both ways.
func TestCuts(t *testing.T) {
	p := newPair(t, link.Config{Bound: 400_000})
	ctx, cancel := context.WithCancel(t.Context())
	var rejoin sync.WaitGroup
	cuts := 0
	rejoin.Go(func() {
		r := rand.New(rand.NewPCG(7, 7))
		for ctx.Err() == nil {
			a, _ := p.join(ctx)
			a.CutAfter(1 + r.IntN(30))
			for range 2 {
				if err := <-p.errs; !errors.Is(err, link.ErrLost) && ctx.Err() == nil {
					t.Errorf("run: %v", err)
				}
				a.Cut()
			}
			p.runs.Wait()
			cuts++
		}
	})
	up, down := payload(12_000_000, 3), payload(12_000_000, 4)
	sentUp, sentDown := send(t, p.a, up), send(t, p.b, down)
	var got [32]byte
	var wait sync.WaitGroup
	wait.Go(func() { got = sha256.Sum256(receive(t, p.a, len(down))) })
	if sha256.Sum256(receive(t, p.b, len(up))) != sha256.Sum256(up) {
		t.Error("bytes up differ")
	}
	wait.Wait()
	if got != sha256.Sum256(down) {
		t.Error("bytes down differ")
	}
	<-sentUp
	<-sentDown
	cancel()
	rejoin.Wait()
	if cuts < 10 {
		t.Errorf("only %d carriers were cut", cuts)
	}
}

// TestUnreadBytesOutliveTheirCarrier: what was received and not read when the carrier was
// lost comes exactly once.
func TestUnreadBytesOutliveTheirCarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, link.Config{})
		a, _ := p.join(t.Context())
		if _, err := p.a.Write([]byte("before")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := receive(t, p.b, 3); string(got) != "bef" {
			t.Fatalf("read %q", got)
		}
		a.Cut()
		<-p.errs
		<-p.errs
		p.join(t.Context())
		if _, err := p.a.Write([]byte(" after")); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, p.b, 9); string(got) != "ore after" {
			t.Errorf("read %q", got)
		}
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
	})
}

func TestWriteWaitsAtTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, link.Config{Bound: 1000})
		var wrote sync.WaitGroup
		wrote.Go(func() {
			if _, err := p.a.Write(make([]byte, 2500)); err != nil {
				t.Errorf("write: %v", err)
			}
		})
		synctest.Wait()
		if n := p.a.Stats().Unacknowledged; n != 1000 {
			t.Errorf("%d bytes are kept, want 1000", n)
		}
		p.join(t.Context())
		receive(t, p.b, 2500)
		wrote.Wait()
		time.Sleep(time.Second) // of the bubble's clock
		if n := p.a.Stats().Unacknowledged; n != 0 {
			t.Errorf("%d bytes are not acknowledged", n)
		}
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
	})
}

func TestShutdownDeliversWhatWasWritten(t *testing.T) {
	p := newPair(t, link.Config{})
	_, b := p.join(t.Context())
	want := payload(2_000_000, 5)
	sent := send(t, p.a, want)
	var read sync.WaitGroup
	var got []byte
	read.Go(func() {
		var err error
		if got, err = io.ReadAll(p.b); !errors.Is(err, wire.NewError(wire.Draining, "")) {
			t.Errorf("end: %v, want draining", err)
		}
	})
	<-sent
	if err := p.a.Shutdown(t.Context(), wire.Draining, "bye"); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	read.Wait()
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, want %d", len(got), len(want))
	}
	<-b.Done()
	if b.Code != wire.Draining.CloseCode() || b.Reason != "bye" {
		t.Errorf("the carrier closed with %d %q", b.Code, b.Reason)
	}
	if _, err := p.a.Write([]byte("x")); err == nil {
		t.Error("write after shutdown succeeded")
	}
}

func TestCleanShutdownIsEOF(t *testing.T) {
	p := newPair(t, link.Config{})
	p.join(t.Context())
	if err := p.a.Shutdown(t.Context(), wire.OK, ""); err != nil {
		t.Fatal(err)
	}
	if n, err := p.b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read: %d, %v, want EOF", n, err)
	}
}

func TestShutdownWithoutCarrierEndsWithItsContext(t *testing.T) {
	p := newPair(t, link.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.a.Shutdown(ctx, wire.OK, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("shutdown: %v", err)
	}
	<-p.a.Done()
}

func TestCloseEndsEverything(t *testing.T) {
	p := newPair(t, link.Config{Bound: 10})
	p.join(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := p.a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read: %v", err)
		}
	})
	p.a.Close()
	wait.Wait()
	if _, err := p.a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if err := <-p.errs; err == nil {
		t.Error("run ended without a reason")
	}
}

// TestSilence: a dead carrier is found, an idle one is kept, and an end that did not run
// for a while ends no run.
func TestSilence(t *testing.T) {
	config := link.Config{PingAfter: 10 * time.Second, DeadAfter: 20 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, config)
		a, _ := p.join(t.Context())
		time.Sleep(10 * time.Minute)
		select {
		case err := <-p.errs:
			t.Fatalf("an idle carrier ended: %v", err)
		default:
		}
		began := time.Now()
		a.Blackhole()
		if err := <-p.errs; !errors.Is(err, link.ErrLost) {
			t.Errorf("run: %v", err)
		}
		if after := time.Since(began); after > 21*time.Second || after < 10*time.Second {
			t.Errorf("found dead after %s", after)
		}
		<-p.errs
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
	})
}

// raw runs a link against messages of the test's own making.
func raw(t *testing.T, messages ...wire.Message) (*link.Link, *linktest.Carrier, error) {
	t.Helper()
	l := link.New(link.Config{})
	mine, theirs := linktest.Pipe()
	for _, m := range messages {
		if err := theirs.Send(t.Context(), m.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	err := l.Run(t.Context(), mine, 0)
	l.Close()
	return l, theirs, err
}

func TestViolations(t *testing.T) {
	for name, m := range map[string]wire.Message{
		"gap":               wire.Data{Offset: 1, Payload: []byte("x")},
		"ack of the unsent": wire.Ack{Received: 1},
		"hello":             wire.Hello{Version: wire.Version},
		"bare":              wire.Data{Payload: []byte("x"), Fore: true}, // unasked
	} {
		t.Run(name, func(t *testing.T) {
			l, theirs, err := raw(t, m)
			if !errors.Is(err, wire.NewError(wire.Protocol, "")) || !errors.Is(l.Err(), wire.NewError(wire.Protocol, "")) {
				t.Errorf("run: %v, link: %v", err, l.Err())
			}
			message, err := theirs.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, err := wire.Decode(message); err != nil || got.(wire.Close).Code != wire.Protocol {
				t.Errorf("answer: %+v, %v, want CLOSE protocol", got, err)
			}
		})
	}
}

func TestResumeOutsideOfWhatIsKept(t *testing.T) {
	l := link.New(link.Config{})
	mine, _ := linktest.Pipe()
	if err := l.Run(t.Context(), mine, 1); !errors.Is(err, wire.NewError(wire.Protocol, "")) {
		t.Errorf("run: %v", err)
	}
}

func TestRepeatedBytesAreDropped(t *testing.T) {
	l := link.New(link.Config{})
	mine, theirs := linktest.Pipe()
	for _, m := range []wire.Data{{Offset: 0, Payload: []byte("abc")}, {Offset: 1, Payload: []byte("bc")}, {Offset: 2, Payload: []byte("cde")}} {
		if err := theirs.Send(t.Context(), m.Append(nil)); err != nil {
			t.Fatal(err)
		}
	}
	var run sync.WaitGroup
	run.Go(func() { _ = l.Run(t.Context(), mine, 0) }) // ends by Close below
	if got := receive(t, l, 5); string(got) != "abcde" {
		t.Errorf("read %q", got)
	}
	l.Close()
	run.Wait()
}

func BenchmarkLink(b *testing.B) {
	x, y := link.New(link.Config{}), link.New(link.Config{})
	ca, cb := linktest.Pipe()
	var runs sync.WaitGroup
	runs.Go(func() { _ = x.Run(b.Context(), ca, 0) }) // end by Close below
	runs.Go(func() { _ = y.Run(b.Context(), cb, 0) })
	piece := make([]byte, 32<<10)
	b.SetBytes(int64(len(piece)))
	b.ReportAllocs()
	runs.Go(func() {
		for range b.N {
			if _, err := x.Write(piece); err != nil {
				b.Error(err)
			}
		}
	})
	if _, err := io.CopyN(io.Discard, y, int64(b.N)*int64(len(piece))); err != nil {
		b.Error(err)
	}
	x.Close()
	y.Close()
	runs.Wait()
}
