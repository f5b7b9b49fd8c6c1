package link_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// walk goes through the model and takes two real links along, on a fake clock: whatever
// the surroundings do (write, dial, deliver, lose, close, let time pass) is done to both,
// and whatever a link does by itself (send, acknowledge, say the end) must be a step that
// the model has there. Hello and welcome, which are not the links' business, are the
// walk's, by the rules of server/session and shared/client.
type walk struct {
	t      *testing.T
	bounds bounds
	random *rand.Rand
	slow   bool // the hello of every other carrier takes long, so that it may come after a newer one's
	links  [2]*link.Link
	tasks  sync.WaitGroup

	mu       sync.Mutex
	model    model
	carriers [carriersMost][2]*stage
	messages [carriersMost][2][][]byte // what lies in the model's queues; nil for hello, welcome and refusal
	changed  chan struct{}             // closed when there may be room in a queue
	taken    map[string]int            // steps of each kind
	ends     [2]context.CancelCauseFunc
	runs     [2]chan struct{} // closed when the run of that end is over
	read     [2]uint8
}

// stage is one end of a carrier.
type stage struct {
	walk *walk
	end  int
	line int8
	in   chan []byte
	lost chan struct{}
}

var errStage = errors.New("lost by the walk")

// Send implements link.Carrier: what the link sends must be a step of the model. A JOINED is
// two: to the other end it is an ACK and then DATA.
func (s *stage) Send(ctx context.Context, message []byte) error {
	m, err := wire.Decode(message)
	if err != nil {
		return err
	}
	if data, ok := m.(wire.Data); ok && data.Ack != nil {
		ack := *data.Ack
		data.Ack = nil
		s.walk.count("joined")
		if err := s.send(ctx, ack, ack.Append(nil)); err != nil {
			return err
		}
		return s.send(ctx, data, data.Append(nil))
	}
	return s.send(ctx, m, message)
}

func (s *stage) send(ctx context.Context, m wire.Message, message []byte) error {
	w := s.walk
	for {
		w.mu.Lock()
		l := &w.model.lines[s.line]
		if l.lost[s.end] {
			w.mu.Unlock()
			return errStage
		}
		if l.way[s.end].length() < w.bounds.flight {
			defer w.mu.Unlock()
			if !w.stepLocked(fmt.Sprintf("%T", m), func(n *model) bool { return s.permits(n, m) }) {
				w.t.Errorf("end %d sends %+v over carrier %d, and the model does not: %+v", s.end, m, s.line, w.model)
			}
			w.messages[s.line][s.end] = append(w.messages[s.line][s.end], append([]byte(nil), message...))
			return nil
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-s.lost:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// permits takes the step that a message of the link is.
func (s *stage) permits(n *model, m wire.Message) bool {
	p := &n.ends[s.end]
	if p.on != s.line {
		return false
	}
	switch m := m.(type) {
	case wire.Data:
		for i, b := range m.Payload {
			if b != byte(m.Offset)+byte(i) {
				return false
			}
		}
		return m.Offset == uint64(p.next) && n.send(s.end, uint8(len(m.Payload)), s.walk.bounds)
	case wire.Ack:
		if m.Received == uint64(p.received) {
			return n.acknowledge(s.end, s.walk.bounds)
		}
		// It was made before the last bytes arrived, and had to wait for room.
		return m.Received < uint64(p.received) && n.lines[s.line].way[s.end].push(packet{kind: ack, to: uint8(m.Received)}, s.walk.bounds.flight)
	case wire.Close:
		return m.Code == wire.OK && n.part(s.end, s.walk.bounds)
	}
	return false
}

// Receive implements link.Carrier.
func (s *stage) Receive(ctx context.Context) ([]byte, error) {
	select { // what has arrived comes first
	case m := <-s.in:
		return m, nil
	default:
	}
	select {
	case m := <-s.in:
		return m, nil
	case <-s.lost:
		return nil, errStage
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ReceiveBody implements link.Carrier.
func (s *stage) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := s.Receive(ctx)
	return buffer.Bytes(m), err
}

// Close implements link.Carrier: a link may not give up a carrier for which the model
// sees no reason.
func (s *stage) Close(int, string) error {
	s.walk.mu.Lock()
	defer s.walk.mu.Unlock()
	if !s.walk.model.lines[s.line].lost[s.end] {
		s.walk.t.Errorf("end %d gives up carrier %d: %+v", s.end, s.line, s.walk.model)
	}
	return nil
}

// stepLocked takes a step of the model, where there is such a one, and brings the real
// queues to the same length.
func (w *walk) stepLocked(name string, act func(*model) bool) (ok bool) {
	defer func() {
		if v, is := recover().(violation); is {
			w.t.Errorf("%s: %s", name, v)
		}
	}()
	n := w.model
	if !act(&n) {
		return false
	}
	n.check(w.bounds)
	w.model = n
	w.taken[name]++
	return true
}

// step is stepLocked for the surroundings.
func (w *walk) step(name string, act func(*model) bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.surroundLocked(name, act)
}

func (w *walk) surroundLocked(name string, act func(*model) bool) bool {
	if !w.stepLocked(name, act) {
		return false
	}
	for i := range w.messages {
		for e := range w.links {
			q := &w.model.lines[i].way[e]
			for len(w.messages[i][e]) < q.length() { // hello, welcome, refusal
				w.messages[i][e] = append(w.messages[i][e], nil)
			}
			w.messages[i][e] = w.messages[i][e][:q.length()]
			if s := w.carriers[i][e]; s != nil && w.model.lines[i].lost[e] {
				select {
				case <-s.lost:
				default:
					close(s.lost)
				}
			}
		}
	}
	close(w.changed)
	w.changed = make(chan struct{})
	return true
}

// now is the model's state.
func (w *walk) now() model {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.model
}

func (w *walk) count(step string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken[step]++
}

// run runs a link over the carrier that the model has given it.
func (w *walk) run(e int, received uint8) {
	ctx, cancel := context.WithCancelCause(context.Background())
	over := make(chan struct{})
	w.ends[e], w.runs[e] = cancel, over
	s := w.carriers[w.now().ends[e].on][e]
	w.tasks.Go(func() {
		defer close(over)
		defer cancel(nil)
		_ = w.links[e].Run(ctx, s, uint64(received)) // the model knows why it ended
	})
}

// idle waits for the end of a run that the model has ended.
func (w *walk) idle(e int) {
	if w.runs[e] != nil {
		w.ends[e](errStage)
		<-w.runs[e]
		w.runs[e] = nil
	}
}

// move tries one step of the surroundings, chosen at random; it returns false where that
// step is none.
func (w *walk) move() bool {
	e, i, b := w.random.IntN(2), int8(w.random.IntN(carriersMost)), w.bounds
	switch w.random.IntN(25) {
	case 0, 1, 2, 3, 4:
		if !w.step("write", func(n *model) bool { return n.write(e, b) }) {
			return false
		}
		if _, err := w.links[e].Write([]byte{w.now().ends[e].written - 1}); err != nil {
			w.t.Errorf("write of end %d: %v", e, err)
		}
	case 5, 6:
		if !w.step("dial", func(n *model) bool { return n.dial(b) }) {
			return false
		}
		w.idle(client)
		line := w.now().ends[client].on
		for e := range w.links {
			w.carriers[line][e] = &stage{walk: w, end: e, line: line, in: make(chan []byte, flightMost), lost: make(chan struct{})}
		}
		if w.now().lines[line].first {
			w.run(client, 0)
		}
		if w.slow && line%2 == 1 { // the client does not wait for it
			w.step("lose", func(n *model) bool { return n.lose(client, line, flightMost) })
		}
	case 7, 8, 9, 10, 11, 12, 13, 14, 15:
		return w.deliver(e, i)
	case 16, 17, 18, 19:
		time.Sleep(5 * time.Millisecond) // of the bubble: acknowledgements are due
	case 20, 21:
		keep := w.random.IntN(flightMost + 1)
		if !w.step("lose", func(n *model) bool { return n.lose(e, i, keep) }) {
			return false
		}
		if w.now().ends[client].phase == failed {
			w.links[client].Fail(wire.NewError(wire.NotConnected, ""))
		}
	case 22:
		if !b.ends || !w.step("shut", func(n *model) bool { return n.shut(e) }) {
			return false
		}
		w.tasks.Go(func() { _ = w.links[e].Shutdown(context.Background(), wire.OK, "") }) // ends with the link
	case 23:
		if w.random.IntN(4) > 0 || !w.step("expire", func(n *model) bool { return n.expire(e, b) }) {
			return false
		}
		w.links[e].Fail(wire.NewError(wire.SessionLost, ""))
	case 24:
		says := w.random.IntN(2) == 0
		return w.random.IntN(4) == 0 && w.step("turn away", func(n *model) bool { return n.turnAway(i, says, b) })
	}
	return true
}

// deliver lets the next message of a carrier arrive.
func (w *walk) deliver(e int, i int8) bool {
	w.mu.Lock()
	p := w.model.arriving(e, i)
	if p.kind == none || p.kind == hello && w.slow && i%2 == 1 && p.to >= w.model.ends[server].acked && w.random.IntN(100) > 0 {
		w.mu.Unlock()
		return false
	}
	message := w.messages[i][1-e][0]
	w.messages[i][1-e] = w.messages[i][1-e][1:]
	resumable := w.links[server].Resumable(uint64(p.to))
	alive := w.model.ends[server].lives()
	if message != nil {
		w.carriers[i][e].in <- message // there is room; what the link sends for it waits for the lock
	}
	ok := w.surroundLocked("deliver", func(n *model) bool { return n.deliver(e, i, w.bounds) })
	w.mu.Unlock()
	if !ok {
		return true // told by the step
	}
	switch p.kind {
	case hello:
		w.idle(server) // the newest claim wins
		now := w.now()
		held := now.ends[server].on == i
		switch {
		case now.lines[i].first:
		case alive && held != resumable:
			w.t.Errorf("a hello from byte %d: the link says %v: %+v", p.to, resumable, now)
		case held:
			w.count("resume")
			if got := w.links[server].Received(); got != uint64(now.ends[server].received) {
				w.t.Errorf("the welcome says %d bytes: %+v", got, now)
			}
		case alive:
			w.count("stale")
		default:
			w.count("refuse")
		}
		if held {
			w.run(server, p.to)
		}
	case welcome:
		if !w.now().lines[i].first {
			w.run(client, p.to)
		}
	case refusal:
		w.links[client].Fail(wire.NewError(wire.UnknownSession, ""))
	}
	return true
}

// compare looks whether the links are where the model is, and have done all that they
// could. late: acknowledgements are due.
func (w *walk) compare(late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for e, l := range w.links {
		p, stats := &w.model.ends[e], l.Stats()
		if lives := p.lives() || p.phase == unborn; lives != (l.Err() == nil) {
			w.t.Errorf("end %d: %v: %+v", e, l.Err(), w.model)
		}
		if l.Received() != uint64(p.received) || w.read[e] != p.received {
			w.t.Errorf("end %d has received %d bytes and given out %d: %+v", e, l.Received(), w.read[e], w.model)
		}
		if kept := int(p.written - p.acked); p.lives() && stats.Unacknowledged != kept {
			w.t.Errorf("end %d keeps %d bytes: %+v", e, stats.Unacknowledged, w.model)
		}
		n := w.model
		if n.send(e, 1, w.bounds) || late && n.acknowledge(e, w.bounds) || n.part(e, w.bounds) {
			w.t.Errorf("end %d could send, and does not: %+v", e, w.model)
		}
	}
}

// steps of one walk.
const stepsOfWalk = 120

// TestLinkFollowsModel walks through the model at random and has two real links follow.
func TestLinkFollowsModel(t *testing.T) {
	taken := make(map[string]int)
	const walks = 2000
	for seed := range uint64(walks) {
		synctest.Test(t, func(t *testing.T) {
			w := &walk{
				t: t, slow: seed%4 > 1, random: rand.New(rand.NewPCG(seed, 1)), model: newModel(), changed: make(chan struct{}), taken: taken,
				bounds: bounds{bytes: [2]uint8{40, 40}, kept: 3, carriers: carriersMost, flight: flightMost, ends: seed%2 == 1},
			}
			for e := range w.links {
				w.links[e] = link.New(link.Config{Bound: int(w.bounds.kept), PingAfter: time.Hour, DeadAfter: 3 * time.Hour})
				if seed%3 > 0 {
					w.links[e].Join()
				}
				w.tasks.Go(func() { w.reads(e) })
			}
			for range stepsOfWalk {
				began := time.Now()
				for !w.move() {
				}
				synctest.Wait()
				w.compare(time.Since(began) > 0)
				if t.Failed() {
					t.Logf("seed %d", seed)
					break
				}
			}
			for e, l := range w.links {
				w.mu.Lock()
				w.model.lines = [carriersMost]line{} // nothing is compared any more
				for i := range w.model.lines {
					w.model.lines[i].lost = [2]bool{true, true}
				}
				w.mu.Unlock()
				l.Close()
				w.idle(e)
			}
			w.tasks.Wait()
		})
		if t.Failed() {
			return
		}
	}
	for _, step := range []string{"write", "dial", "deliver", "lose", "shut", "expire", "resume", "stale", "refuse", "turn away", "wire.Data", "wire.Ack", "wire.Close", "joined"} {
		if taken[step] == 0 {
			t.Errorf("no walk had the step %s", step)
		}
	}
	t.Logf("%d walks: %v", walks, taken)
}

// reads takes what a link gives: each byte once and in order.
func (w *walk) reads(e int) {
	for b := make([]byte, 8); ; {
		n, err := w.links[e].Read(b)
		w.mu.Lock()
		for _, got := range b[:n] {
			if got != w.read[e] {
				w.t.Errorf("end %d reads byte %d where %d is next", e, got, w.read[e])
			}
			w.read[e]++
		}
		w.mu.Unlock()
		if err != nil {
			if w.links[e].Err() == nil {
				w.t.Errorf("end %d reads: %v", e, err)
			}
			return
		}
	}
}
