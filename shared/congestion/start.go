package congestion

import "time"

const (
	// initial is the window of a new path. TCP below has its own slow start; this only has to
	// be no obstacle to it.
	initial = 256 << 10
	// nearInitial is the most that it is, on a path that is short. There TCP's rounds are
	// those of the network, and the link's those of a page's event loop, which are longer: the
	// link would be the ramp. Between near and far the window is that of a constant product.
	nearInitial = 1 << 20
	near        = 5 * time.Millisecond
	// longTask is longer than a processor is busy with something else.
	longTask = 50 * time.Millisecond
	// growth is by how much the rate must grow in a round for the start to go on, and patience
	// in how many rounds (BBR: 1.25 and 3).
	growth   = 1.25
	patience = 3
	// enough is how many samples of the round trip tell a queue: the least of fewer may be that
	// of a busy processor.
	enough = 3
)

// start is the state of a window that looks for the rate of its path.
type start struct {
	active  bool
	best    float64 // rate when it last grew enough
	stalled int     // rounds since

	// Of samples in a row that show a queue.
	queued    int           // in the present period
	since     time.Duration // when it began
	delivered uint64        // bytes acknowledged by then
	before    float64       // most of the periods before it; 0: there is none
	full      bool          // the last of them has delivered no more
}

// firstWindow returns the window of a path whose round trip is known.
func firstWindow(rtt time.Duration) int {
	return max(initial, int(float64(nearInitial)*min(1, near.Seconds()/rtt.Seconds())))
}

// grow doubles the window in a round, as TCP's slow start does. A window that is not used does not
// grow: it stays below twice what was in flight.
func (w *Window) grow(n int) {
	if !w.start.full && w.size < 2*max(w.used, w.seen.peak) {
		w.size = min(w.size+n, w.limit)
	}
}

// queueing looks at the queueing delay of a message. TCP's own slow start makes messages wait, too,
// but there the rate grows. So a queue ends the start where all messages of three periods show it,
// and none of the last two has delivered more than one before it. Behind the first of these two the
// window no longer grows. A period is a round trip and half of longTask: the messages of one round
// may come together, behind one delay of a processor.
func (w *Window) queueing(now, queue time.Duration) {
	s := &w.start
	if queue <= 2*target {
		s.queued, s.before, s.full = 0, 0, false
		return
	}
	if s.queued++; s.queued == 1 {
		s.since, s.delivered = now, w.delivered
	}
	took := now - s.since
	if s.queued < enough || took < w.base.rtt+longTask/2 {
		return
	}
	rate := float64(w.delivered-s.delivered) / took.Seconds()
	grows := rate >= s.before*growth // the first always does
	s.active = grows || !s.full
	s.full = !grows
	s.queued, s.since, s.delivered, s.before = 1, now, w.delivered, max(rate, s.before)
}

// judge looks at a round that has ended, in which the window was the limit. The start ends where
// the rate does not grow for some rounds.
func (w *Window) judge() {
	if !w.start.active || !w.seen.full {
		return
	}
	s := &w.start
	if rate := w.rate(); rate >= s.best*growth {
		s.best, s.stalled = rate, 0
	} else if s.stalled++; s.stalled >= patience {
		s.active = false
	}
}
