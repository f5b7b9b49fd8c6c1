package posix

import (
	"context"
	"sync"
)

// turns lets calls of one direction of a socket run one by one, in the order in which they
// came. The zero value is ready.
type turns struct {
	mu      sync.Mutex
	busy    bool
	waiting []*turn
}

// turn is the place of one call. Its owner calls done in any case.
type turn struct {
	of   *turns
	came chan struct{} // closed when it is this call's turn; nil: it is from the start
}

// taken reports whether it is the turn of a call.
func (t *turns) taken() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.busy
}

// ask returns the next place.
func (t *turns) ask() *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.busy {
		t.busy = true
		return &turn{of: t}
	}
	place := &turn{of: t, came: make(chan struct{})}
	t.waiting = append(t.waiting, place)
	return place
}

// now reports whether it is this call's turn.
func (p *turn) now() bool {
	if p.came == nil {
		return true
	}
	select {
	case <-p.came:
		return true
	default:
		return false
	}
}

// wait waits for this call's turn. It returns false if ctx has ended before.
func (p *turn) wait(ctx context.Context) bool {
	if p.came == nil {
		return true
	}
	select {
	case <-p.came:
		return true
	case <-ctx.Done():
		return p.now()
	}
}

// done gives the place up.
func (p *turn) done() {
	t := p.of
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.now() {
		for i, other := range t.waiting {
			if other == p {
				t.waiting = append(t.waiting[:i], t.waiting[i+1:]...)
				return
			}
		}
	}
	if len(t.waiting) == 0 {
		t.busy, t.waiting = false, nil
		return
	}
	next := t.waiting[0]
	t.waiting = t.waiting[1:]
	close(next.came)
}
