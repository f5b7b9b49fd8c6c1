package mux

import "sync"

// inside is how many frames may be on their way to the link at once: one that it takes,
// and one that is next.
const inside = 2

// gate lets the frames of streams through in fair order: start-time fair queueing (Goyal,
// Vin, Cheng: Start-time Fair Queuing, IEEE/ACM Transactions on Networking 5(5), 1997).
// Streams that always have more take turns; one that writes now and then goes first, so a
// keystroke does not wait behind the frames of a hundred downloads. Without it frames are
// served in the order of their arrival.
type gate struct {
	mu      sync.Mutex
	free    int
	virtual uint64 // start tag of the frame served last
	waiting []*waiter
	closed  bool
}

type waiter struct {
	start uint64
	turn  chan struct{}
}

func newGate() *gate { return &gate{free: inside} }

// enter waits for the turn of a frame of n bytes. finish is the stream's own tag, kept
// between its frames. It returns false when the gate is closed.
func (g *gate) enter(finish *uint64, n int) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return false
	}
	start := max(g.virtual, *finish)
	*finish = start + uint64(n)
	if g.free > 0 {
		g.free--
		g.virtual = max(g.virtual, start)
		g.mu.Unlock()
		return true
	}
	w := &waiter{start: start, turn: make(chan struct{})}
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	<-w.turn
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.closed
}

// leave lets the next frame in.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.free++
		return
	}
	best := 0
	for i, w := range g.waiting {
		if w.start < g.waiting[best].start {
			best = i
		}
	}
	next := g.waiting[best]
	g.waiting = append(g.waiting[:best], g.waiting[best+1:]...)
	g.virtual = max(g.virtual, next.start)
	close(next.turn)
}

// close releases every waiting writer.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, w := range g.waiting {
		close(w.turn)
	}
	g.waiting = nil
}
