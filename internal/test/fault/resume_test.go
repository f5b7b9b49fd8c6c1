package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestServerRestarted: a resume is refused by a server that knows nothing of the session;
// the streams say so, and the next ones work.
func TestServerRestarted(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, states := w.client()
	streams := make([]io.Reader, 20)
	for i := range streams {
		s := product.Open(t, c, target)
		if _, err := io.WriteString(s, "echo\n"); err != nil {
			t.Fatal(err)
		}
		streams[i] = s
	}
	w.proxy.SetUpstream(startServer(t, quick).Addr())
	from := states.count()
	w.proxy.Cut(fault.Reset)
	for i, s := range streams {
		if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.UnknownSession) {
			t.Errorf("stream %d: %v, want unknown_session", i, err)
		}
	}
	state, _ := states.await(t, from, "closed", is(client.Closed))
	if state.Reason == nil || state.Reason.Code != wire.UnknownSession {
		t.Errorf("state: %+v", state)
	}
	var moved atomic.Int64
	if err := upload(product.Open(t, c, target), 1, 100_000, &moved); err != nil {
		t.Error(err)
	}
}

// TestTooManyParked: where the server keeps only so many sessions without a connection,
// the streams of the others end with an error of their own, and the next ones work.
func TestTooManyParked(t *testing.T) {
	w := newWorld(t, quick, "--max-parked", "1")
	target := product.Target(t, mover)
	var away atomic.Bool
	dial := dialer(w.proxy.Addr)
	clients := make([]*client.Client, 3)
	streams := make([]io.ReadWriter, len(clients))
	for i := range clients {
		clients[i], _ = newClient(t, func(ctx context.Context) (link.Carrier, error) {
			if away.Load() {
				return nil, errPath
			}
			return dial(ctx)
		})
		s := product.Open(t, clients[i], target)
		if _, err := io.WriteString(s, "echo\n"); err != nil {
			t.Fatal(err)
		}
		say(t, s, "before")
		streams[i] = s
	}
	away.Store(true)
	w.proxy.Cut(fault.Reset)
	eventually(t, "one session is parked", func() bool { s := w.Counts(t); return s.Sessions == 1 && s.Parked == 1 })
	away.Store(false)
	kept := 0
	for i, s := range streams {
		clients[i].RetryNow()
		if _, err := io.WriteString(s, "x"); err != nil && !isCode(err, wire.UnknownSession) {
			t.Errorf("client %d: write: %v", i, err)
		}
		switch _, err := s.Read(make([]byte, 1)); {
		case err == nil:
			kept++
		case !isCode(err, wire.UnknownSession):
			t.Errorf("client %d: %v, want unknown_session", i, err)
		}
		var moved atomic.Int64
		if err := upload(product.Open(t, clients[i], target), 1, 1000, &moved); err != nil {
			t.Errorf("client %d, the next stream: %v", i, err)
		}
	}
	if kept != 1 {
		t.Errorf("%d sessions were kept, want 1", kept)
	}
}

// hello says hello by hand, over a carrier of its own, and returns the answer.
func (w *world) hello(h wire.Hello) (wire.Message, link.Carrier, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	c, err := dialer(w.proxy.Addr)(ctx)
	if err != nil {
		return nil, nil, err
	}
	w.t.Cleanup(func() { _ = c.Close(0, "") }) // may be closed already
	h.Version, h.Capabilities = wire.Version, wire.CanResume
	if err := c.Send(ctx, h.Append(nil)); err != nil {
		return nil, c, err
	}
	message, err := c.Receive(ctx)
	if err != nil {
		return nil, c, err
	}
	m, err := wire.Decode(message)
	return m, c, err
}

func (w *world) mustHello(h wire.Hello) (wire.Message, link.Carrier) {
	w.t.Helper()
	m, c, err := w.hello(h)
	if err != nil {
		w.t.Fatal(err)
	}
	return m, c
}

// TestWrongSecret: a client that knows the id and not the secret learns nothing and touches
// nothing, whatever secret he tries.
func TestWrongSecret(t *testing.T) {
	w := newWorld(t, nil)
	m, _ := w.mustHello(wire.Hello{})
	known := m.(wire.Welcome).Session
	for bit := range 8 * len(known.Secret) {
		wrong := known.Secret
		wrong[bit/8] ^= 1 << (bit % 8)
		m, _ := w.mustHello(wire.Hello{Resume: &wire.Resume{ID: known.ID, Secret: wrong}})
		if got, ok := m.(wire.Close); !ok || got.Code != wire.UnknownSession {
			t.Fatalf("bit %d: answer %+v, want CLOSE unknown_session", bit, m)
		}
	}
	m, _ = w.mustHello(wire.Hello{Resume: &wire.Resume{Secret: known.Secret}})
	if got, ok := m.(wire.Close); !ok || got.Code != wire.UnknownSession {
		t.Errorf("the secret with another id: %+v", m)
	}
	if s := w.Counts(t); s.Sessions != 1 || s.Parked != 0 {
		t.Errorf("the session was touched: %+v", s)
	}
	m, _ = w.mustHello(wire.Hello{Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}})
	if got, ok := m.(wire.Welcome); !ok || got.Resumed == nil {
		t.Errorf("the owner: %+v", m)
	}
}

// TestSecretTwice: another client presents the session's id and secret, with offsets of
// his own making. The protocol cannot tell him from the owner, so the session is taken
// from one by the other; it is never served from bytes that are not there, and the owner,
// who comes back, has lost nothing.
func TestSecretTwice(t *testing.T) {
	var known atomic.Pointer[wire.Session]
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	dial := dialer(w.proxy.Addr)
	c, _ := newClient(t, func(ctx context.Context) (link.Carrier, error) {
		conn, err := dial(ctx)
		return &spy{Carrier: conn, seen: func(s *wire.Session) { known.Store(s) }}, err
	})
	var moved atomic.Int64
	owner := product.Open(t, c, target) // its result came behind the welcome
	if _, err := io.WriteString(owner, "echo\n"); err != nil {
		t.Fatal(err)
	}
	if err := download(product.Open(t, c, target), 1, 1_000_000, &moved); err != nil { // more than stays unacknowledged
		t.Fatal(err)
	}
	for i, received := range []uint64{0, 1, 1 << 20, 1 << 40, 1<<64 - 1} {
		m, _, err := w.hello(wire.Hello{Resume: &wire.Resume{ID: known.Load().ID, Secret: known.Load().Secret, Received: received}})
		if welcome, ok := m.(wire.Welcome); err == nil && ok && received != 1<<20 {
			t.Errorf("offset %d: %+v", received, welcome)
		}
		say(t, owner, fmt.Sprint("still mine ", i))
	}
	if n := w.Counts(t).Sessions; n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// spy looks at welcomes.
type spy struct {
	link.Carrier
	seen func(*wire.Session)
}

func (s *spy) Receive(ctx context.Context) ([]byte, error) {
	message, err := s.Carrier.Receive(ctx)
	if err == nil {
		if m, err := wire.Decode(message); err == nil {
			if w, ok := m.(wire.Welcome); ok && w.Session != nil {
				s.seen(w.Session)
			}
		}
	}
	return message, err
}

// TestRacingResumes: of several carriers that resume one session at the same time, one
// holds it in the end, and the others have ended.
func TestRacingResumes(t *testing.T) {
	w := newWorld(t, patient)
	m, _ := w.mustHello(wire.Hello{})
	known := m.(wire.Welcome).Session
	for round := range scaled(30, 500) {
		type racer struct {
			welcomed bool
			carrier  link.Carrier
		}
		racers := make([]racer, 2)
		var racing sync.WaitGroup
		for i := range racers {
			racing.Go(func() {
				m, c, err := w.hello(wire.Hello{Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}})
				welcome, ok := m.(wire.Welcome)
				racers[i] = racer{err == nil && ok && welcome.Resumed != nil, c}
			})
		}
		racing.Wait()
		// A ping is answered by the session; a carrier that was replaced is closed.
		holders := 0
		for _, one := range racers {
			if one.welcomed && answers(t.Context(), one.carrier) {
				holders++
			}
		}
		if holders != 1 {
			t.Fatalf("round %d: %d carriers hold the session, want 1", round, holders)
		}
		if s := w.Counts(t); s.Sessions != 1 || s.Parked != 0 {
			t.Fatalf("round %d: %+v", round, s)
		}
	}
}

// answers reports whether there is a PONG before the carrier's end.
func answers(ctx context.Context, c link.Carrier) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if c.Send(ctx, wire.Ping{Opaque: 1}.Append(nil)) != nil {
		return false
	}
	for {
		message, err := c.Receive(ctx)
		if err != nil {
			return false
		}
		if m, err := wire.Decode(message); err == nil && m == (wire.Pong{Opaque: 1}) {
			return true
		}
	}
}

// TestCutDuringDrain: a session that loses its carrier while the server drains comes
// back, its streams finish, and the drain ends with them.
func TestCutDuringDrain(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, states := w.client()
	n := scaled[int64](400_000, 4<<20)
	old := make([]io.ReadWriteCloser, 10)
	for i := range old {
		s := product.Open(t, c, target)
		if _, err := io.WriteString(s, "echo\n"); err != nil {
			t.Fatal(err)
		}
		old[i] = s
	}
	w.Signal(syscall.SIGTERM)
	w.WaitLog("draining")

	var wait sync.WaitGroup
	for i, s := range old {
		wait.Go(func() {
			var write sync.WaitGroup
			write.Go(func() {
				if _, err := io.CopyN(s, noise(uint64(i)), n); err != nil {
					t.Errorf("stream %d: %v", i, err)
				}
				_ = s.(interface{ CloseWrite() error }).CloseWrite() // what failed is told above
			})
			if err := same(s, uint64(i), n); err != nil {
				t.Errorf("stream %d: %v", i, err)
			}
			write.Wait()
			_ = s.Close() // both directions have ended
		})
	}
	for range 5 {
		from := states.count()
		w.proxy.Cut(fault.Reset)
		c.RetryNow()
		// The session may have ended before the cut, and the server not yet.
		eventually(t, "repaired or at its end", func() bool { return ended(w.Server) || states.has(from, is(client.Open)) })
	}
	wait.Wait()
	if code := w.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	w.WaitLog(`"ended"`)
}

// ended reports whether the server's process has ended.
func ended(s *product.Server) bool {
	select {
	case <-s.Ended():
		return true
	default:
		return false
	}
}

var errPath = errors.New("this path is dead")

// TestNewPath: the network changes, and the server is reached another way.
func TestNewPath(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	paths := []*fault.Proxy{w.proxy, newProxy(t, w.Addr()), newProxy(t, w.Addr())}
	var way atomic.Int64
	c, states := newClient(t, func(ctx context.Context) (link.Carrier, error) {
		i := int(way.Load())
		if i >= len(paths) {
			return nil, errPath
		}
		return dialer(paths[i].Addr)(ctx)
	})
	s := product.Open(t, c, target)
	if _, err := io.WriteString(s, "echo\n"); err != nil {
		t.Fatal(err)
	}
	for i := range paths {
		say(t, s, fmt.Sprint("over path ", i))
		if i == len(paths)-1 {
			break
		}
		from := states.count()
		way.Store(int64(len(paths))) // nothing goes for a while
		paths[i].Cut(fault.Hole)
		state, _ := states.await(t, from, "failed attempts", func(s client.State) bool { return s.Phase == client.Resuming && s.Attempt > 2 })
		if state.Reason == nil || state.Reason.Code != wire.NotConnected || state.Reason.Text != errPath.Error() {
			t.Errorf("state: %+v", state)
		}
		way.Store(int64(i + 1))
		c.RetryNow()
		states.await(t, from, "repaired", is(client.Open))
	}
	if n := w.Counts(t).Sessions; n != 1 {
		t.Errorf("%d sessions, want 1", n)
	}
}

// say sends a text through an echo and wants it back.
func say(t *testing.T, s io.ReadWriter, text string) {
	t.Helper()
	if _, err := io.WriteString(s, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(s, got); err != nil || string(got) != text {
		t.Fatalf("echo %q, error %v, want %q", got, err, text)
	}
}
