package mux

import (
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

// Windows say how much a stream may have under way towards this end.
const (
	// firstWindow is yamux's own; its specification gives every stream this much.
	firstWindow = 256 << 10
	// StartBudget is what the windows of a session may be larger than firstWindow at their
	// start, all together. Each takes a startShare of what is left: 1 MiB if it is alone,
	// 220 KiB if it is the hundredth. A window that has to grow first costs a short transfer
	// a round trip for each doubling, and many streams on a fast path short messages. It is
	// apart from what windows grow by, so streams that are idle take nothing of that.
	StartBudget = 64 << 20
	startShare  = 64
	// controlWindow is the control stream's from its start. Its messages are handled as
	// they come and do not fill memory.
	controlWindow = 16 << 20
	// MaxWindow is the most that a stream's window grows to, and what a session's windows
	// may grow by beyond its own budget: 640 MB/s at a round trip of 100 ms.
	MaxWindow = 64 << 20
	// briskWindow is what the window of a stream grows to that uses half of it in
	// briskly, whatever the round trip: streams that share a fast path then have enough
	// under way for long messages, which cost a page less (256 KiB: a hundred streams
	// take a fifth longer). Only the session's own budget pays for that.
	briskWindow = 1 << 20
	briskly     = 150 * time.Millisecond
	// DefaultWindowBudget is what the windows of a session may have grown by, all together.
	DefaultWindowBudget = 64 << 20
)

// window is what the other end may send on a stream: a large one would let a peer fill
// this end's memory through streams that are not read, a small one caps a stream at a
// window in a round trip. So a window begins with a share of a budget, and doubles when half
// of it was used within two round trips (the rule of QUIC implementations), or briskly, for
// as long as the budget of the session lasts. It is guarded by its stream.
type window struct {
	size     uint32
	extra    uint32 // of size, from StartBudget
	left     uint32 // that the other end may send
	consumed uint32 // read since the last update
	used     uint32 // read since the time
	since    time.Time
	updated  time.Time // when the last update was sent
}

func newWindow(size uint32) window {
	now := time.Now()
	return window{size: size, left: size, since: now, updated: now}
}

// start adds the window's share of StartBudget, of which the other end is to be told.
func (w *window) start(extra uint32) {
	w.extra = extra
	w.size += extra
	w.left += extra
}

// end returns what the window has grown by, and its share of StartBudget. It is for a stream
// of which nothing more can come.
func (w *window) end() (grown, extra uint32) {
	grown, extra = w.size-w.extra-firstWindow, w.extra
	w.size, w.extra = firstWindow, 0 // what is read from now on was received before
	return grown, extra
}

// receive notes n bytes of the other end; it returns false if it may not send that many.
func (w *window) receive(n uint32) bool {
	if n > w.left {
		return false
	}
	w.left -= n
	return true
}

// seldom is how many bytes that were read are worth an update where they are a quarter of
// the window: each costs a page a message.
const seldom = 1 << 20

// due reports whether n more bytes that were read call for an update. It comes early, so
// that nearly all of a large window is under way on a long path, and not too often.
func (w *window) due(n int) bool {
	w.consumed += uint32(n)
	return w.consumed >= max(w.size/8, min(w.size/4, seldom), firstWindow/2)
}

// lateUpdate is how long an update may take to leave that is not urgent.
const lateUpdate = 5 * time.Millisecond

// update returns how much more the other end may send. It is urgent where what it may
// send yet could be used up before it hears of it: one of many streams that share a path
// uses its window slowly, and then its update can go with something else.
func (w *window) update(rtt time.Duration, growth *growth) (more uint32, urgent bool) {
	now := time.Now()
	rate := float64(w.consumed) / float64(max(now.Sub(w.updated), 1))
	urgent = rate*float64(2*(rtt+lateUpdate)) > float64(w.left)
	w.updated = now
	more = w.consumed
	if w.used += more; w.used >= w.size/2 {
		more += w.grow(now.Sub(w.since), rtt, growth)
		w.since, w.used = now, 0
	}
	w.consumed = 0
	w.left += more
	return more, urgent
}

// grow makes the window up to twice as large if half of it was used in a short time, and
// returns by how much.
func (w *window) grow(took, rtt time.Duration, growth *growth) (by uint32) {
	upTo := func(size uint32) uint32 { return min(2*w.size, max(size, w.size)) - w.size }
	if by = upTo(MaxWindow); by > 0 && took < 2*rtt && growth.take(by) {
		w.size += by
		return by
	}
	if by = upTo(briskWindow); by > 0 && took < briskly && growth.takeOwn(by) {
		w.size += by
		return by
	}
	return 0
}

// growth is what the windows of a session may grow by: first its own budget, then up to
// MaxWindow where the memory of received bytes is counted. Nothing is reserved: what matters is
// what was received, and a session whose memory is over gets nothing more.
type growth struct {
	memory *budget.Account // nil: nothing beyond its own

	mu     sync.Mutex
	left   int
	beyond int // taken beyond its own
	start  int // left of StartBudget
	closed bool
}

func newGrowth(budget int, memory *budget.Account) growth {
	return growth{memory: memory, left: budget, start: StartBudget}
}

// takeStart returns how much larger than firstWindow a window begins.
func (g *growth) takeStart() uint32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.memory.Over() {
		return 0
	}
	extra := g.start / startShare
	g.start -= extra
	return uint32(extra)
}

func (g *growth) take(size uint32) bool {
	if g.takeOwn(size) {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.memory == nil || g.memory.Over() || g.beyond+int(size) > MaxWindow {
		return false
	}
	g.beyond += int(size)
	return true
}

// takeOwn is take of the session's own budget.
func (g *growth) takeOwn(size uint32) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || int(size) > g.left || g.memory.Over() {
		return false
	}
	g.left -= int(size)
	return true
}

// give takes back what a window has grown by and its share of StartBudget.
func (g *growth) give(grown, extra uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	beyond := min(int(grown), g.beyond)
	g.beyond -= beyond
	g.left += int(grown) - beyond
	g.start += int(extra)
}

// close lets no window grow any more.
func (g *growth) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
