package client_test

import (
	"context"
	"errors"
	"slices"
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
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers hellos by script, over carriers in memory, and runs at most one session.
type server struct {
	t     *testing.T
	tasks sync.WaitGroup

	mu    sync.Mutex
	dials []time.Time
	last  *linktest.Carrier // the client's end
	// answer decides about a hello: WELCOME, CLOSE, or nil for silence. A nil function
	// refuses the dial.
	answer func(wire.Hello) wire.Message
	link   *link.Link // of the last session
	// holdBack is for how long the answer of a carrier waits, which ends behind it; 0: it
	// does not wait.
	holdBack time.Duration
	turn     sync.Mutex // of the run
	muxes    []*mux.Session
	handle   func(*mux.Stream) // serves a stream that was answered; nil: until it sends a byte
}

var errNoNetwork = errors.New("no network")

func (s *server) dial(context.Context) (link.Carrier, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, time.Now())
	if s.answer == nil {
		return nil, errNoNetwork
	}
	a, b := linktest.Pipe()
	s.last = a
	answer := s.answer
	s.tasks.Go(func() { s.serve(b, answer) })
	return a, nil
}

func (s *server) serve(c *linktest.Carrier, answer func(wire.Hello) wire.Message) {
	message, err := c.Receive(context.Background())
	if err != nil {
		return
	}
	m, err := wire.Decode(message)
	if err != nil {
		s.t.Errorf("hello: %v", err)
		return
	}
	reply := answer(m.(wire.Hello))
	if reply == nil {
		_, _ = c.Receive(context.Background()) // until the client gives up
		return
	}
	if s.holdBack > 0 {
		time.Sleep(s.holdBack) // of the bubble's clock
		_ = c.Send(context.Background(), reply.Append(nil))
		_ = c.Close(1000, "") // what was sent is delivered
		return
	}
	if c.Send(context.Background(), reply.Append(nil)) != nil {
		return
	}
	if w, ok := reply.(wire.Welcome); ok {
		s.run(c, w, m.(wire.Hello))
	}
}

// run runs the session over the carrier.
func (s *server) run(c *linktest.Carrier, w wire.Welcome, hello wire.Hello) {
	if w.Session != nil && hello.Resume != nil {
		_, _ = c.Receive(context.Background()) // until the client gives up
		return
	}
	s.mu.Lock()
	if w.Session != nil {
		s.link = link.New(link.Config{})
		m, err := mux.Server(s.link, mux.Config{}, func(_ context.Context, stream *mux.Stream) {
			_ = stream.Reply(wire.Result{}) // the client waits for it
			if s.handle != nil {
				s.handle(stream)
			} else {
				_, _ = stream.Read(make([]byte, 1)) // until the stream or the session ends
			}
			_ = stream.Close() // as above
		})
		if err != nil {
			s.t.Error(err)
		}
		s.muxes = append(s.muxes, m)
	}
	l := s.link
	s.mu.Unlock()
	received := uint64(0)
	if hello.Resume != nil {
		received = hello.Resume.Received
	}
	s.turn.Lock() // the run over the older carrier ends with that
	defer s.turn.Unlock()
	_ = l.Run(context.Background(), c, received) // why it ended is the client's to tell
}

func (s *server) set(answer func(wire.Hello) wire.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// dialed returns when the client has dialed.
func (s *server) dialed() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dials)
}

// cut loses the present carrier, and lets there be no other.
func (s *server) cut() {
	s.set(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last.Cut()
}

func (s *server) close() {
	s.mu.Lock()
	muxes := s.muxes
	s.mu.Unlock()
	for _, m := range muxes {
		m.Close()
	}
	s.tasks.Wait()
}

const grace = 2 * time.Minute

// welcome accepts new sessions and no others.
func welcome(h wire.Hello) wire.Message {
	if h.Resume != nil {
		return wire.Close{Code: wire.UnknownSession, Text: "expired"}
	}
	return wire.Welcome{
		Version: wire.Version, Capabilities: wire.CanResume, Session: &wire.Session{}, Grace: grace,
		PingAfter: 10 * time.Second, DeadAfter: 20 * time.Second,
	}
}

func refusal(code wire.Code) func(wire.Hello) wire.Message {
	return func(wire.Hello) wire.Message { return wire.Close{Code: code, Text: "by the test"} }
}

var target = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}

// end returns why a stream that is opened now ends.
func end(t *testing.T, c *client.Client) *wire.Error {
	t.Helper()
	stream, err := c.Open(target)
	if err == nil {
		_, err = stream.Result(context.Background())
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Fatalf("the stream ended with %v", err)
	}
	return e
}

func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: t}
		c := client.New(client.Config{Dial: s.dial})

		// No network: a second attempt, then the program hears of it.
		began := time.Now()
		if e := end(t, c); e.Code != wire.NotConnected || e.Text != errNoNetwork.Error() {
			t.Errorf("without a network: %v", e)
		}
		if took := time.Since(began); len(s.dialed()) != 2 || took < 100*time.Millisecond || took > time.Second {
			t.Errorf("without a network: %d dials in %s", len(s.dialed()), took)
		}

		// A server that says nothing is given up, not waited for.
		s.set(func(wire.Hello) wire.Message { return nil })
		began = time.Now()
		if e := end(t, c); e.Code != wire.NotConnected {
			t.Errorf("a silent server: %v", e)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("a silent server was waited for %s", took)
		}

		// A refusal is told as it is, and not tried again.
		for _, code := range []wire.Code{wire.Unauthorized, wire.Limit, wire.Draining, wire.UnsupportedVersion} {
			s.set(refusal(code))
			before := len(s.dialed())
			if e := end(t, c); e.Code != code {
				t.Errorf("refused with %s: %v", code, e)
			}
			if n := len(s.dialed()) - before; n != 1 {
				t.Errorf("refused with %s: %d dials", code, n)
			}
		}

		// A laptop that sleeps for an hour: the session is gone, and a new one works at once.
		s.set(welcome)
		stream, err := c.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := len(s.dialed())
		s.cut()
		time.Sleep(time.Hour) // of the bubble's clock
		_, err = stream.Read(make([]byte, 1))
		if !errors.Is(err, wire.NewError(wire.SessionLost, "")) {
			t.Errorf("after an hour: %v", err)
		}
		if state := c.State(); state.Phase != client.Closed || state.Reason == nil || state.Reason.Code != wire.SessionLost {
			t.Errorf("after an hour: %+v", state)
		}
		attempts := s.dialed()[before:]
		if n := len(attempts); n < 12 || n > 60 {
			t.Errorf("%d attempts in the grace period", n)
		}
		// The server may have noticed the loss later: see session.deadline.
		if last := attempts[len(attempts)-1].Sub(attempts[0]); last < grace || last > grace+time.Minute+time.Second {
			t.Errorf("attempts went on for %s", last)
		}
		s.set(welcome)
		again, err := c.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Result(t.Context()); err != nil {
			t.Errorf("a stream after the sleep: %v", err)
		}

		c.Close()
		if _, err := c.Open(target); !errors.Is(err, wire.NewError(wire.Aborted, "")) {
			t.Errorf("open after close: %v", err)
		}
		s.close()
	})
}
