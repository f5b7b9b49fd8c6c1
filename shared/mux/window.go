package mux

import (
	"sync"
	"time"
)

// Windows say how much a stream may have under way towards this end.
const (
	// firstWindow is yamux's own; its specification gives every stream this much.
	firstWindow = 256 << 10
	// controlWindow is the control stream's from its start. Its messages are handled as they come and do not fill memory.
	controlWindow = 16 << 20
	// MaxWindow is the most that a stream's window grows to: 80 MB/s at a round trip of 100 ms.
	MaxWindow = 8 << 20
	// DefaultWindowBudget is what the windows of a session may have grown by, all together.
	DefaultWindowBudget = 64 << 20
)

// window is what the other end may send on a stream: a large one would let a peer fill this end's memory through streams that nobody reads, a small one caps
// a stream at a window in a round trip. So a window begins small, and doubles when half of it was used within two round trips (the rule of QUIC
// implementations), for as long as the budget of the session lasts. It is guarded by its stream.
type window struct {
	size     uint32
	left     uint32 // that the other end may send
	consumed uint32 // read since the last update
	updated  time.Time
}

func newWindow(size uint32) window { return window{size: size, left: size, updated: time.Now()} }

// receive notes n bytes of the other end; it returns false if it may not send that many.
func (w *window) receive(n uint32) bool {
	if n > w.left {
		return false
	}
	w.left -= n
	return true
}

// due tells whether n more bytes that were read call for an update.
func (w *window) due(n int) bool {
	w.consumed += uint32(n)
	return w.consumed >= w.size/2
}

// update returns how much more the other end may send.
func (w *window) update(rtt time.Duration, budget *budget) (more uint32) {
	now := time.Now()
	more = w.consumed
	if now.Sub(w.updated) < 2*rtt && w.size < MaxWindow && budget.take(w.size) {
		more += w.size
		w.size *= 2
	}
	w.updated, w.consumed = now, 0
	w.left += more
	return more
}

// budget is what the windows of a session may grow by.
type budget struct {
	mu   sync.Mutex
	left uint64
}

func (b *budget) take(n uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if uint64(n) > b.left {
		return false
	}
	b.left -= uint64(n)
	return true
}

func (b *budget) give(n uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += uint64(n)
}
