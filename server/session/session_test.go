package session_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a registry and clients that reach it over carriers in memory.
type world struct {
	seen     *recorder
	t        *testing.T
	registry *session.Registry
	serves   sync.WaitGroup

	mu       sync.Mutex
	carriers []*linktest.Carrier // the clients' ends, in the order of their dials
	refuse   error               // dials fail with it
	peer     string              // who dials; empty: 192.0.2.1:1
	lives    func() int          // for how many messages the next carrier lives; nil: until it is cut
}

func newWorld(t *testing.T, config session.Config) *world {
	t.Helper()
	if config.Handle == nil {
		config.Handle = echo
	}
	seen := new(recorder)
	if config.Events == nil {
		config.Events = seen
	} else {
		config.Events = events.Sinks{seen, config.Events}
	}
	w := &world{t: t, seen: seen, registry: session.New(config)}
	t.Cleanup(func() {
		w.registry.Close()
		w.serves.Wait()
	})
	return w
}

func echo(_ context.Context, s session.Stream, _ session.Client) {
	if s.Reply(wire.Result{}) != nil {
		return
	}
	_, _ = io.Copy(s, s) // the client checks what comes back
	_ = s.Close()
}

// fixed gives every policy these limits.
func fixed(limits limit.Limits) func(string) (limit.Limits, bool) {
	return func(string) (limit.Limits, bool) { return limits, true }
}

// dial connects to the registry.
func (w *world) dial(context.Context) (link.Carrier, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != nil {
		return nil, w.refuse
	}
	a, b := linktest.Pipe()
	if w.lives != nil {
		a.CutAfter(w.lives())
	}
	w.carriers = append(w.carriers, a)
	peer := cmp.Or(w.peer, "192.0.2.1:1")
	w.serves.Go(func() { _ = w.registry.Serve(context.Background(), newcomer{b}, session.Peer{Address: peer}) }) // why it ended is in the log
	return a, nil
}

func (w *world) setRefuse(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = err
}

// figures are the present ones, without what is counted since the start.
func (w *world) figures() session.Stats {
	s := w.registry.Stats()
	s.Opened, s.Resumed = 0, 0
	return s
}

// last is the newest carrier.
func (w *world) last() *linktest.Carrier {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.carriers[len(w.carriers)-1]
}

func (w *world) dials() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.carriers)
}

// client returns a client whose states arrive in the channel.
func (w *world) client() (*client.Client, <-chan client.State) {
	states := make(chan client.State, 1000)
	c := client.New(client.Config{Dial: w.dial, OnState: func(s client.State) { states <- s }})
	w.t.Cleanup(c.Close)
	return c, states
}

// patience is after how long something is not going to happen.
const patience = time.Minute

func await(t *testing.T, states <-chan client.State, phase client.Phase) client.State {
	t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case s := <-states:
			if s.Phase == phase {
				return s
			}
		case <-timeout:
			t.Fatalf("the client was never %s", phase)
		}
	}
}

// eventually waits for a figure of the registry.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	servertest.Eventually(t, patience, what, ok)
}

var target = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}

func open(t *testing.T, c *client.Client) *mux.Stream {
	t.Helper()
	s, err := c.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := s.Result(t.Context()); err != nil || result.Code != wire.OK {
		t.Fatalf("result: %+v, %v", result, err)
	}
	return s
}

// roundTrip sends bytes through an echo and checks what comes back.
func roundTrip(t *testing.T, s *mux.Stream, n int, seed byte) {
	t.Helper()
	want := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(want)
	var write sync.WaitGroup
	write.Go(func() {
		if _, err := s.Write(want); err != nil {
			t.Errorf("write: %v", err)
		}
		_ = s.CloseWrite() // a failed write is told above
	})
	got, err := io.ReadAll(s)
	write.Wait()
	if err != nil || sha256.Sum256(got) != sha256.Sum256(want) {
		t.Errorf("%d of %d bytes came back, %v", len(got), n, err)
	}
}

func isCode(err error, code wire.Code) bool { return errors.Is(err, wire.NewError(code, "")) }

func TestSession(t *testing.T) {
	w := newWorld(t, session.Config{})
	c, states := w.client()
	roundTrip(t, open(t, c), 100_000, 1)
	await(t, states, client.Open)
	if s := w.registry.Stats(); s.Sessions != 1 || s.Detached != 0 {
		t.Errorf("stats: %+v", s)
	}
	if w.dials() != 1 {
		t.Errorf("%d carriers", w.dials())
	}
	c.Close()
	eventually(t, "the session is gone", func() bool { return w.registry.Stats().Sessions == 0 })
}

// TestResume: carriers are cut again and again while streams move bytes both ways; no
// stream notices.
func TestResume(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	r := rand.New(rand.NewPCG(1, 2))
	w.lives = func() int { return 5 + r.IntN(25) } // called by one dial at a time
	c := client.New(client.Config{Dial: w.dial})
	t.Cleanup(c.Close)
	stop := make(chan struct{})
	var kicking sync.WaitGroup
	kicking.Go(func() { // the client does not wait long between its attempts
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			if c.State().Phase == client.Resuming { // else it would spend the carrier's messages on probes
				c.RetryNow()
			}
		}
	})
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() { roundTrip(t, open(t, c), 3_000_000, byte(i)) })
	}
	wait.Wait()
	close(stop)
	kicking.Wait()
	if cuts := w.dials() - 1; cuts < 5 {
		t.Errorf("only %d carriers were cut", cuts)
	}
	if s := w.registry.Stats(); s.Sessions != 1 {
		t.Errorf("%d sessions, want the one", s.Sessions)
	}
}

func TestGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Grace: 20 * time.Millisecond, MaxDetached: 10})
		c, states := w.client()
		s := open(t, c)
		w.setRefuse(errors.New("no network"))
		w.last().Cut()
		if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.SessionLost) {
			t.Errorf("read: %v", err)
		}
		for state := range states {
			if state.Phase == client.Closed {
				if state.Reason == nil || state.Reason.Code != wire.SessionLost {
					t.Errorf("state: %+v", state)
				}
				break
			}
		}
		if got := w.figures(); got != (session.Stats{}) {
			t.Errorf("the server has %+v", got)
		}
		w.setRefuse(nil)
		roundTrip(t, open(t, c), 1000, 1) // in a new session
	})
}

func TestNoGrace(t *testing.T) {
	w := newWorld(t, session.Config{})
	c, _ := w.client()
	s := open(t, c)
	w.last().Cut()
	if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.SessionLost) {
		t.Errorf("read: %v", err)
	}
	eventually(t, "the server forgot the session", func() bool { return w.figures() == session.Stats{} })
}

func TestRestartedServer(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	c, _ := w.client()
	s := open(t, c)
	old := w.registry
	w.mu.Lock()
	w.registry = session.New(session.Config{Handle: echo, Grace: time.Minute, MaxDetached: 10})
	w.mu.Unlock()
	w.last().Cut()
	if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.UnknownSession) {
		t.Errorf("read: %v", err)
	}
	roundTrip(t, open(t, c), 1000, 1)
	old.Close()
}

func TestFirstDialFails(t *testing.T) {
	w := newWorld(t, session.Config{})
	w.setRefuse(errors.New("no route"))
	c, states := w.client()
	s, err := c.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	var e *wire.Error
	if _, err := s.Result(t.Context()); !errors.As(err, &e) || e.Code != wire.NotConnected || e.Text != "no route" {
		t.Errorf("result: %v", err)
	}
	await(t, states, client.Closed)
}

// hello says hello by hand and returns the answer.
func (w *world) hello(h wire.Hello) (wire.Message, *linktest.Carrier) {
	w.t.Helper()
	c, err := w.dial(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Send(w.t.Context(), h.Append(nil)); err != nil {
		w.t.Fatal(err)
	}
	message, err := c.Receive(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := wire.Decode(message)
	if err != nil {
		w.t.Fatal(err)
	}
	return m, c.(*linktest.Carrier)
}

func (w *world) refused(h wire.Hello, want wire.Code) {
	w.t.Helper()
	m, _ := w.hello(h)
	if got, ok := m.(wire.Close); !ok || got.Code != want {
		w.t.Errorf("answer: %+v, want CLOSE %s", m, want)
	}
}

func TestSecret(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	m, c := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	known := m.(wire.Welcome).Session
	wrong := known.Secret
	wrong[31] ^= 1
	w.refused(wire.Hello{Version: wire.Version, Resume: &wire.Resume{ID: known.ID, Secret: wrong}}, wire.UnknownSession)
	w.refused(wire.Hello{Version: wire.Version, Resume: &wire.Resume{}}, wire.UnknownSession)
	// The session was not touched by that.
	if s := w.registry.Stats(); s.Sessions != 1 || s.Detached != 0 {
		t.Errorf("stats: %+v", s)
	}
	// The owner takes it over while the old carrier still looks alive.
	m, _ = w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}})
	if got, ok := m.(wire.Welcome); !ok || got.Resumed == nil || got.Session != nil {
		t.Errorf("answer: %+v", m)
	}
	if _, err := c.Receive(t.Context()); err == nil {
		t.Error("the old carrier is still served")
	}
}

func TestRacingResumesLeaveOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
		m, _ := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
		known := m.(wire.Welcome).Session
		h := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}}
		var racing sync.WaitGroup
		alive := make(chan bool, 20)
		for range 20 {
			racing.Go(func() {
				c, err := w.dial(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if c.Send(t.Context(), h.Append(nil)) != nil {
					return
				}
				for { // the welcome and pings, until another takes the session
					ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
					_, err := c.Receive(ctx)
					cancel()
					if err != nil {
						alive <- errors.Is(err, context.DeadlineExceeded)
						return
					}
				}
			})
		}
		racing.Wait()
		close(alive)
		n := 0
		for a := range alive {
			if a {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d carriers hold the session, want 1", n)
		}
		if s := w.registry.Stats(); s.Sessions != 1 || s.Detached != 0 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestHelloIsJudged(t *testing.T) {
	w := newWorld(t, session.Config{MaxSessions: 1})
	w.refused(wire.Hello{Version: 2}, wire.UnsupportedVersion)
	c, err := w.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), wire.Ping{}.Append(nil)); err != nil {
		t.Fatal(err)
	}
	message, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Decode(message); err != nil || m.(wire.Close).Code != wire.Protocol {
		t.Errorf("ping before hello: %+v, %v", m, err)
	}
	w.hello(wire.Hello{Version: wire.Version})
	w.refused(wire.Hello{Version: wire.Version}, wire.Limit)
}

func TestStreamsAreLimited(t *testing.T) {
	w := newWorld(t, session.Config{Limits: fixed(limit.Limits{Streams: 2})})
	c, _ := w.client()
	first, second := open(t, c), open(t, c)
	third, err := c.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := third.Result(t.Context()); err != nil || result.Code != wire.Limit {
		t.Errorf("third: %+v, %v", result, err)
	}
	roundTrip(t, first, 1000, 1)
	roundTrip(t, second, 1000, 2)
	eventually(t, "streams are free again", func() bool { return w.registry.Stats().Streams == 0 })
	roundTrip(t, open(t, c), 1000, 3)
}

func TestParkedSessionsAreLimited(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 1})
	for range 3 {
		_, c := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
		c.Cut()
	}
	eventually(t, "one is detached and the others are gone", func() bool {
		return w.figures() == session.Stats{Sessions: 1, Detached: 1}
	})
	if n := w.seen.limits()[limit.ParkedSessions]; n != 2 {
		t.Errorf("%d are counted", n)
	}
}

func TestDrain(t *testing.T) {
	w := newWorld(t, session.Config{})
	c, _ := w.client()
	s := open(t, c)
	drained := make(chan error, 1)
	go func() { drained <- w.registry.Drain(t.Context()) }()
	eventually(t, "new streams are refused", func() bool {
		late, err := c.Open(target)
		if err != nil {
			return false
		}
		defer late.Close()
		_, err = late.Result(t.Context())
		result, _ := late.Result(t.Context())
		return isCode(err, wire.Draining) || result.Code == wire.Draining
	})
	roundTrip(t, s, 500_000, 1) // what was open ends as it likes
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	eventually(t, "no session is left", func() bool { return w.figures() == session.Stats{} })
}

// TestDrainSendsNewStreamsElsewhere: a client that is told to go opens its next streams
// over a new connection, while the old ones go on.
func TestDrainSendsNewStreamsElsewhere(t *testing.T) {
	w := newWorld(t, session.Config{})
	c, _ := w.client()
	old := open(t, c)
	first := w.registry
	w.mu.Lock()
	w.registry = session.New(session.Config{Handle: echo})
	w.mu.Unlock()
	drained := make(chan error, 1)
	go func() { drained <- first.Drain(t.Context()) }()
	eventually(t, "a stream goes to the new server", func() bool {
		s, err := c.Open(target)
		if err != nil {
			return false
		}
		defer s.Close()
		result, err := s.Result(t.Context())
		return err == nil && result.Code == wire.OK && w.dials() > 1 // the drain may not have begun
	})
	if w.dials() != 2 {
		t.Errorf("%d connections, want 2", w.dials())
	}
	roundTrip(t, open(t, c), 100_000, 1)
	roundTrip(t, old, 100_000, 2)
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
	first.Close()
}

func TestDrainEndsAtItsTimeout(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	c, _ := w.client()
	s := open(t, c)
	_, detached := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
	detached.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.registry.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain: %v", err)
	}
	if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.Draining) {
		t.Errorf("read: %v", err)
	}
	eventually(t, "no session is left", func() bool { return w.figures() == session.Stats{} })
}

// A session that loses its carrier while the server drains comes back; a new one is refused.
func TestResumeWhileDraining(t *testing.T) {
	w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 10})
	c, _ := w.client()
	s := open(t, c)
	drained := make(chan error, 1)
	go func() { drained <- w.registry.Drain(t.Context()) }()
	eventually(t, "it drains", func() bool {
		m, carrier := w.hello(wire.Hello{Version: wire.Version})
		if close, refused := m.(wire.Close); refused {
			return close.Code == wire.Draining
		}
		carrier.Cut()
		return false
	})
	w.mu.Lock()
	first := w.carriers[0]
	w.mu.Unlock()
	first.Cut()
	c.RetryNow()
	roundTrip(t, s, 500_000, 1)
	if err := <-drained; err != nil {
		t.Errorf("drain: %v", err)
	}
}

// TestManyStreamsEndWithTheirSession: nothing of a client with thousands of streams is left soon
// after it has closed them all, or only the session. The race detector makes each stream so slow
// that a client on a loaded machine would take the end for stuck, and give up.
func TestManyStreamsEndWithTheirSession(t *testing.T) {
	n := map[bool]int{false: 5000, true: 1000}[product.Race]
	for _, closes := range []bool{true, false} {
		w := newWorld(t, session.Config{Grace: time.Minute, MaxDetached: 1, Limits: fixed(limit.Limits{Streams: n})})
		c, _ := w.client()
		streams := make([]*mux.Stream, n)
		for i := range streams {
			var err error
			if streams[i], err = c.Open(target); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range streams {
			if result, err := s.Result(t.Context()); err != nil || result.Code != wire.OK {
				t.Fatalf("result: %+v, %v", result, err)
			}
		}
		if got := w.figures(); got.Streams != n {
			t.Errorf("%d streams are counted, want %d", got.Streams, n)
		}
		if closes {
			for _, s := range streams {
				_ = s.Close() // the session's end comes at once behind
			}
		}
		c.Close()
		eventually(t, "an empty registry", func() bool { return w.figures() == session.Stats{} })
	}
}
