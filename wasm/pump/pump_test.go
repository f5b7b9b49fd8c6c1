package pump_test

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/memory"
	"github.com/sockmux/sockmux/wasm/pump"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent")) // GOOS=js has it always
}

// page is a pump over a session in memory, and what it was told.
type page struct {
	t    *testing.T
	pump *pump.Pump
	pool memory.Pool

	notified chan struct{}
	lose     func() // ends the session from the server's side
	kept     linktest.Bodies
}

// newPage joins a pump to a server that hands each stream to handle.
func newPage(t *testing.T, handle func(*mux.Stream)) *page {
	t.Helper()
	p := &page{t: t, notified: make(chan struct{}, 1)}
	clientLink, serverLink := link.New(link.Config{TakesBare: true}), link.New(link.Config{})
	serverLink.SendBare()
	a, b := linktest.Pipe()
	var runs sync.WaitGroup
	runs.Go(func() { _ = clientLink.Run(context.Background(), linktest.Keeper{Carrier: a, Bodies: &p.kept}, 0) }) // end with their links
	runs.Go(func() { _ = serverLink.Run(context.Background(), b, 0) })
	server, err := mux.Server(serverLink, mux.Config{}, func(_ context.Context, s *mux.Stream) { handle(s) })
	if err != nil {
		t.Fatal(err)
	}
	session, err := mux.Client(clientLink, mux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	p.pump = pump.New(session, &p.pool, func() {
		select {
		case p.notified <- struct{}{}:
		default:
		}
	})
	p.lose = func() { _ = serverLink.Shutdown(t.Context(), wire.Draining, "") }
	t.Cleanup(func() {
		session.Close()
		p.pump.Close()
		server.Close()
		runs.Wait()
		for e, ok := p.pump.Next(); ok; e, ok = p.pump.Next() { // what the test did not ask for is its own all the same
			p.own(&e)
		}
		if n := p.kept.Held.Load(); n != 0 {
			t.Errorf("%d bare messages were not released", n)
		}
	})
	return p
}

// next returns the next event, its data copied.
func (p *page) next() pump.Event {
	p.t.Helper()
	timeout := time.After(time.Minute)
	for {
		if e, ok := p.pump.Next(); ok {
			e.Data = bytes.Clone(e.Data)
			p.own(&e)
			return e
		}
		select {
		case <-p.notified:
		case <-timeout:
			p.t.Fatal("no event came")
		}
	}
}

// own makes an event's body its data.
func (p *page) own(e *pump.Event) {
	if e.Body != nil {
		e.Data = make([]byte, e.Body.Len())
		e.Body.CopyAt(e.Data, 0)
		e.Body.Release()
	}
}

// until collects the events of a stream up to its end: its bytes, and what else came.
func (p *page) until(id uint32) (data []byte, written uint32, kinds []pump.Kind, end pump.Event) {
	p.t.Helper()
	for {
		e := p.next()
		if e.ID != id {
			continue
		}
		switch e.Kind {
		case pump.Data:
			data = append(data, e.Data...)
		case pump.Written:
			written += e.A
		case pump.Closed:
			return data, written, kinds, e
		default:
			kinds = append(kinds, e.Kind)
		}
	}
}

func (p *page) write(id uint32, b []byte) {
	own := p.pool.Get(len(b))
	copy(own, b)
	p.pump.Write(id, own)
}

var target = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}

var request = pump.Request{Request: target, Window: pump.Unlimited}

func ok(s *mux.Stream) bool {
	return s.Reply(wire.Result{Bound: netip.MustParseAddrPort("192.0.2.1:5"), Remote: netip.MustParseAddrPort("192.0.2.2:7")}) == nil
}

func echo(s *mux.Stream) {
	if ok(s) {
		_, _ = io.Copy(s, s) // the page checks what comes back
		_ = s.Close()
	}
}

func TestEcho(t *testing.T) {
	p := newPage(t, echo)
	p.pump.Open(3, request)
	want := bytes.Repeat([]byte("0123456789"), 100_000)
	for rest := want; len(rest) > 0; {
		n := min(len(rest), 70_000)
		p.write(3, rest[:n])
		rest = rest[n:]
	}
	p.pump.CloseWrite(3)
	first, early := p.next(), uint32(0)
	for first.Kind == pump.Written { // bytes do not wait for the answer
		early += first.A
		first = p.next()
	}
	if first.Kind != pump.Opened || first.A != 5 || first.B != 7 || string(first.Data) != "192.0.2.1\x00192.0.2.2" {
		t.Errorf("first event: %+v", first)
	}
	data, written, kinds, end := p.until(3)
	if !bytes.Equal(data, want) || early+written != uint32(len(want)) {
		t.Errorf("%d bytes came back, %d were written, want %d", len(data), early+written, len(want))
	}
	if len(kinds) != 1 || kinds[0] != pump.EOF || end.A != uint32(wire.OK) {
		t.Errorf("events %v, end %+v", kinds, end)
	}
}

func TestRefused(t *testing.T) {
	p := newPage(t, func(s *mux.Stream) { _ = s.Reply(wire.Result{Code: wire.Refused, Text: "nobody"}) })
	p.pump.Open(1, request)
	if e := p.next(); e.Kind != pump.Closed || e.A != uint32(wire.Refused) || string(e.Data) != "nobody" {
		t.Errorf("event: %+v", e)
	}
}

func TestNamesThatCannotTravel(t *testing.T) {
	p := newPage(t, echo)
	p.pump.Open(1, pump.Request{Request: wire.Request{Kind: wire.TCP, Host: wire.ParseHost(string(make([]byte, 300))), Port: 7}})
	if e := p.next(); e.Kind != pump.Closed || e.A != uint32(wire.InvalidRequest) {
		t.Errorf("event: %+v", e)
	}
}

func TestTimeout(t *testing.T) {
	release := make(chan struct{})
	p := newPage(t, func(s *mux.Stream) {
		<-release
		_ = s.Close()
	})
	r := request
	r.Timeout = 20 * time.Millisecond
	p.pump.Open(1, r)
	if e := p.next(); e.Kind != pump.Closed || e.A != uint32(wire.TimedOut) || string(e.Data) != "no answer within 20ms" {
		t.Errorf("event: %+v", e)
	}
	close(release)
}

// TestOptimistic: the page counts the stream as open without a word, and learns a refusal.
func TestOptimistic(t *testing.T) {
	release := make(chan struct{})
	p := newPage(t, func(s *mux.Stream) {
		<-release
		_ = s.Reply(wire.Result{Code: wire.Denied})
	})
	r := request
	r.Optimistic = true
	p.pump.Open(1, r)
	close(release)
	if e := p.next(); e.Kind != pump.Closed || e.A != uint32(wire.Denied) {
		t.Errorf("event: %+v", e)
	}
}

// TestWindow: not a byte more than was granted comes.
func TestWindow(t *testing.T) {
	p := newPage(t, func(s *mux.Stream) {
		if ok(s) {
			_, _ = s.Write(make([]byte, 100_000)) // the page counts
			_ = s.Close()
		}
	})
	r := request
	r.Window = 1000
	p.pump.Open(1, r)
	granted, got := 1000, 0
	for {
		e := p.next()
		if e.Kind == pump.Closed {
			break
		}
		if e.Kind == pump.EOF {
			p.pump.CloseWrite(1)
		}
		if e.Kind != pump.Data {
			continue
		}
		got += len(e.Data)
		if got > granted {
			t.Fatalf("%d bytes came, %d were granted", got, granted)
		}
		if got == granted {
			granted += 9000
			p.pump.Grant(1, 9000)
		}
	}
	if got != 100_000 {
		t.Errorf("%d bytes came", got)
	}
}

func TestResetByTheServer(t *testing.T) {
	p := newPage(t, func(s *mux.Stream) {
		if ok(s) {
			_, _ = s.Write([]byte("before"))
			_ = s.Reset(wire.Reset, "by the target")
		}
	})
	p.pump.Open(1, request)
	data, _, _, end := p.until(1)
	if string(data) != "before" || end.A != uint32(wire.Reset) || string(end.Data) != "by the target" {
		t.Errorf("%q, %+v", data, end)
	}
	p.write(1, []byte("late")) // to a stream that is gone: this is no error
}

func TestStopAndClose(t *testing.T) {
	got := make(chan string, 1)
	p := newPage(t, func(s *mux.Stream) {
		if !ok(s) {
			return
		}
		var writing sync.WaitGroup
		writing.Go(func() {
			for {
				if _, err := s.Write(make([]byte, 10_000)); err != nil {
					return
				}
			}
		})
		b, _ := io.ReadAll(s) // the test checks b
		writing.Wait()
		got <- string(b)
		_ = s.Close()
	})
	p.pump.Open(1, request)
	p.next()
	p.write(1, []byte("last words"))
	p.pump.Stop(1)
	p.pump.CloseWrite(1)
	if _, _, _, end := p.until(1); end.A != uint32(wire.OK) {
		t.Errorf("end: %+v", end)
	}
	if b := <-got; b != "last words" {
		t.Errorf("the server got %q", b)
	}
}

// TestEndOfTheSession: a stream that has read its end and may still be written ends with
// the session.
func TestEndOfTheSession(t *testing.T) {
	p := newPage(t, func(s *mux.Stream) {
		if ok(s) {
			_ = s.CloseWrite()
		}
	})
	p.pump.Open(1, request)
	for p.next().Kind != pump.EOF {
	}
	p.lose()
	if _, _, _, end := p.until(1); end.A != uint32(wire.Draining) {
		t.Errorf("end: %+v", end)
	}
}

func TestResetByThePage(t *testing.T) {
	ended := make(chan error, 2)
	p := newPage(t, func(s *mux.Stream) {
		if ok(s) {
			_, err := io.Copy(io.Discard, s)
			ended <- err
			_ = s.Close()
		}
	})
	p.pump.Open(1, request)
	p.next()
	p.pump.Reset(1, wire.Aborted)
	if _, _, _, end := p.until(1); end.A != uint32(wire.Aborted) {
		t.Errorf("end: %+v", end)
	}
	if err := <-ended; err == nil {
		t.Error("the server saw a clean end")
	}
	// Given up before the answer.
	p.pump.Open(2, request)
	p.pump.Reset(2, wire.Aborted)
	if _, _, _, end := p.until(2); end.A != uint32(wire.Aborted) {
		t.Errorf("end: %+v", end)
	}
}

func TestStatesAndNotices(t *testing.T) {
	p := newPage(t, echo)
	p.pump.TellState(client.State{Phase: client.Resuming, Attempt: 3, Reason: wire.NewError(wire.SessionLost, "cut")})
	p.pump.TellNotice(wire.Warning, wire.Limit, "near")
	if e := p.next(); e.Kind != pump.State || e.ID != uint32(client.Resuming) || e.A != 3 || e.B != uint32(wire.SessionLost) || string(e.Data) != "cut" {
		t.Errorf("state: %+v", e)
	}
	if e := p.next(); e.Kind != pump.Notice || e.A != uint32(wire.Warning) || e.B != uint32(wire.Limit) || string(e.Data) != "near" {
		t.Errorf("notice: %+v", e)
	}
}

// TestSlowPage: a page that takes no events holds no more than the queue.
func TestSlowPage(t *testing.T) {
	sent := make(chan int, 1)
	stop := make(chan struct{})
	p := newPage(t, func(s *mux.Stream) {
		if !ok(s) {
			return
		}
		go func() { <-stop; _ = s.Reset(wire.Aborted, "") }()
		n := 0
		for {
			m, err := s.Write(make([]byte, 64<<10))
			n += m
			if err != nil {
				sent <- n
				return
			}
		}
	})
	p.pump.Open(1, request)
	p.next() // opened
	p.next() // one event of data, and no more
	close(stop)
	if n := <-sent; n > 16<<20 {
		t.Errorf("%d bytes were taken from a server whose page takes none", n)
	}
	_, _, _, end := p.until(1)
	if end.A != uint32(wire.Aborted) {
		t.Errorf("end: %+v", end)
	}
}

// TestBareMessages: what a fast target sends comes as bodies where the page's window
// takes them, and in order with what comes as bytes.
func TestBareMessages(t *testing.T) {
	const enough = 1 << 30 // before the machine has been fast for a moment
	endless := linktest.NewEndless(3)
	for _, window := range []uint32{pump.Unlimited, 1 << 20} {
		p := newPage(t, func(s *mux.Stream) {
			defer s.Close()
			if !ok(s) {
				return
			}
			for at, n := 0, 0; ; at += n {
				n = 0
				if err := s.Fill(func(b []byte) int { n = endless.From(at, b); return n }); err != nil {
					return
				}
			}
		})
		p.pump.Open(3, pump.Request{Request: target, Window: window})
		for bodies, at := 0, 0; bodies < 10; {
			e := p.next()
			if e.Kind != pump.Data {
				continue
			}
			if e.Body != nil {
				bodies++
			}
			if !endless.At(at, e.Data) {
				t.Fatalf("%d bytes at %d differ", len(e.Data), at)
			}
			if at += len(e.Data); at > enough {
				t.Fatalf("window %d: %d bodies in %d bytes", window, bodies, at)
			}
			if window != pump.Unlimited {
				p.pump.Grant(3, uint32(len(e.Data)))
			}
		}
		p.pump.Reset(3, wire.Aborted)
		p.until(3)
	}
}

// TestStirred: who takes events hears when readers have waited for that, and only then.
func TestStirred(t *testing.T) {
	const size = 8 << 20 // more than the queue holds
	synctest.Test(t, func(t *testing.T) {
		p := newPage(t, func(s *mux.Stream) {
			if ok(s) {
				_, _ = s.Write(make([]byte, size)) // the test reads it all
				_ = s.Close()
			}
		})
		p.pump.Open(3, request)
		p.pump.CloseWrite(3)
		synctest.Wait() // for the reader to wait
		stirred, quiet := 0, 0
		for data := 0; ; synctest.Wait() {
			e := p.next()
			if p.pump.Stirred() {
				stirred++
			} else {
				quiet++
			}
			if p.pump.Stirred() {
				t.Error("it is told twice")
			}
			if data += len(e.Data); e.Kind == pump.Closed && data >= size {
				break
			}
		}
		if stirred == 0 || quiet == 0 {
			t.Errorf("%d events stirred, %d did not", stirred, quiet)
		}
	})
}
