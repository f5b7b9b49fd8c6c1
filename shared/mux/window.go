package mux

import (
	"sync"
	"time"
)

// Windows say how much a stream may have under way towards this end.
const (
	// firstWindow is yamux's own; its specification gives every stream this much.
	firstWindow = 256 << 10
	// MaxWindow is the most that a stream's window grows to: 80 MB/s at a round trip of 100 ms.
	MaxWindow = 8 << 20
	// yamuxWindow is what yamux is told. It renews its window when half is used, and this package can hand on no more than yamux has granted.
	yamuxWindow = 2 * MaxWindow
	// DefaultWindowBudget is what the windows of a session may have grown by, all together.
	DefaultWindowBudget = 64 << 20
)

// windows hands on what yamux grants as the streams need it. yamux knows one size of window for all streams and all times; a large one would let a peer fill this
// end's memory through streams that nobody reads, a small one caps a stream at a window in a round trip. So yamux is told a large one, and its grants are
// kept here: a window begins small, and doubles when half of it was used within two round trips (the rule of QUIC implementations), for as long as the
// budget of the session lasts.
type windows struct {
	budget uint64

	mu      sync.Mutex
	streams map[uint32]*window
	grown   uint64 // by all streams
}

type window struct {
	size     uint32
	granted  uint32 // by yamux, not handed on
	left     uint32 // that the other end may send
	consumed uint32 // read since the last update
	updated  time.Time
}

// grant keeps what yamux grants. The control stream is not counted and gets all.
func (w *windows) grant(id, delta uint32) (handedOn uint32) {
	if id == controlID {
		return delta
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beginLocked(id).granted += delta // of a stream that this end opens it is the first frame
	return 0
}

// begin notes a stream of the other end, which may send at once.
func (w *windows) begin(id uint32) {
	if id == controlID {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beginLocked(id)
}

func (w *windows) beginLocked(id uint32) *window {
	one := w.streams[id]
	if one == nil {
		one = &window{size: firstWindow, left: firstWindow, updated: time.Now()}
		w.streams[id] = one
	}
	return one
}

// receive notes n bytes of the other end; it returns false if it may not send that many. Streams that are gone are nobody's: yamux drops what comes for them.
func (w *windows) receive(id, n uint32) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.streams[id]
	if one == nil {
		return true
	}
	if n > one.left {
		return false
	}
	one.left -= n
	return true
}

// consume notes that n bytes of a stream were read; it returns the update to send, 0 for none.
func (w *windows) consume(id uint32, n int, rtt time.Duration) (update uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.streams[id]
	if one == nil {
		return 0 // both directions have ended; what is read now was received before
	}
	one.consumed += uint32(n)
	if one.consumed < one.size/2 {
		return 0
	}
	now := time.Now()
	more := uint32(0)
	if now.Sub(one.updated) < 2*rtt && one.size < MaxWindow && w.grown+uint64(one.size) <= w.budget {
		more = one.size
		one.size += more
		w.grown += uint64(more)
	}
	one.updated = now
	update = min(one.consumed+more, one.granted)
	one.granted -= update
	one.left += update
	one.consumed -= min(one.consumed, update)
	return update
}

// forget gives back what the stream's window has grown by.
func (w *windows) forget(id uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.streams[id]; one != nil {
		w.grown -= uint64(one.size - firstWindow)
		delete(w.streams, id)
	}
}
