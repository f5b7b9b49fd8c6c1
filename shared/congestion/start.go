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
	best    float64       // rate when it last grew enough
	stalled int           // rounds since
	queued  int           // samples in a row that show a queue
	since   time.Duration // when the first of them came
}

// firstWindow returns the window of a path whose round trip is known.
func firstWindow(rtt time.Duration) int {
	return max(initial, int(float64(nearInitial)*min(1, near.Seconds()/rtt.Seconds())))
}

// grow doubles the window in a round, as TCP's slow start does. A window that is not used does not
// grow: it stays below twice what was in flight.
func (w *Window) grow(n int) {
	if w.size < 2*max(w.used, w.seen.peak) {
		w.size = min(w.size+n, w.limit)
	}
}

// sample looks at the queueing delay of a message. The start ends where all messages of a round
// trip, which is base long, and of longTask show a queue. Those of one round may come together,
// behind one delay of a processor.
func (s *start) sample(now, queue, base time.Duration) {
	if queue <= 2*target {
		s.queued = 0
		return
	}
	if s.queued++; s.queued == 1 {
		s.since = now
	}
	if s.queued >= enough && now-s.since >= longTask+base {
		s.active = false
	}
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
