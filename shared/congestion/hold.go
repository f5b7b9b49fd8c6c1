package congestion

import (
	"slices"
	"time"
)

const (
	// maxHold bounds what the window holds for late ends: in time, which is what a full queue
	// of a home's router takes, and in bytes, because a fast path needs no more.
	maxHold      = 36 * time.Millisecond
	maxHoldBytes = 4 << 20
	// holdLife is how long a hold takes to fade where nothing calls for it, and calmLife how
	// long where messages wait alike. Then a single stall has called for it, as each machine
	// has them, and no busy end.
	holdLife = 4 * time.Second
	calmLife = 500 * time.Millisecond
	// alike is how much longer than the promptest message the others of a cycle wait on a calm
	// machine. The window's own tries make half of it.
	alike = 2 * target
	// remembered is for how many cycles of rounds a rate is compared.
	remembered = 8
	// settling is how many rounds say nothing about lateness: those behind a probe, and behind
	// rounds in which the window was not the limit.
	settling = 2
)

// hold is for ends whose processors are late, as those of a busy machine are.
//
// A processor's delay is not a queue, and both make round trips longer. The least of many round
// trips tells them apart. In a queue every message waits, and the line is in use meanwhile. A late
// processor delays some messages, and the line runs dry behind them. So the window is too small
// where it was the limit in a cycle of rounds, the path delivered less than before, and the
// promptest message waited for no queue to speak of. Then the window holds more than the law's
// target, by what the rate has lacked. A path that has become slower makes the promptest message
// wait, so it gets nothing.
type hold struct {
	more time.Duration // beyond target

	// The present cycle of rounds.
	since     time.Duration // when it began
	delivered uint64        // bytes acknowledged by then
	rounds    int           // of it; below 0: rounds to be left out before it
	least     time.Duration // queueing delay of the promptest message
	most      time.Duration // and of the slowest
	samples   int

	rates [remembered]float64 // of the last cycles, in bytes per second
	next  int
}

// restart leaves out what the present rounds show.
func (h *hold) restart() { h.rounds = -settling }

func (h *hold) begin(now time.Duration, delivered uint64) {
	h.since, h.delivered, h.rounds, h.samples, h.most = now, delivered, 0, 0, 0
}

// sample notes the queueing delay of a message.
func (h *hold) sample(queue time.Duration) {
	if h.samples == 0 || queue < h.least {
		h.least = queue
	}
	h.samples++
	h.most = max(h.most, queue)
}

// lateness looks at a round that has ended, and at its cycle if that has ended, too.
func (w *Window) lateness(now time.Duration) {
	h := &w.hold
	if w.start.active || !w.seen.full {
		h.restart()
		return
	}
	if h.rounds++; h.rounds == 0 {
		h.begin(now, w.delivered)
	}
	if h.rounds < cycle || h.samples < enough {
		return
	}
	took := max(now-h.since, time.Microsecond)
	rate := float64(w.delivered-h.delivered) / took.Seconds()
	h.rates[h.next%remembered] = rate
	h.next++
	if w.late(rate) {
		part := max(rate/w.rate(), 0.5)
		lacks := time.Duration(float64(w.base.rtt+target+h.more) * (1/part - 1))
		h.more = min(h.more+lacks/2, w.mostHold())
	} else {
		life := holdLife
		if h.most-h.least < alike {
			life = calmLife
		}
		h.more -= time.Duration(float64(h.more) * min(1, took.Seconds()/life.Seconds()))
	}
	h.begin(now, w.delivered)
}

// late reports whether a cycle with that rate shows that processors are late. The less the
// promptest message waited, the smaller a lack of rate counts. The rate of a window is the most of
// single messages, which is a little more than a line has, so the best cycle counts as well.
func (w *Window) late(rate float64) bool {
	h := &w.hold
	best := slices.Max(h.rates[:])
	switch {
	case h.least < target/4: // the line ran dry
		return rate < 0.96*w.rate()
	case h.least < 3*target/4:
		return rate < 0.95*best
	case h.least <= target+h.more+time.Millisecond: // no longer than the window accounts for
		return rate < 0.85*best
	}
	return false
}

// mostHold returns the bound of a hold at the path's rate.
func (w *Window) mostHold() time.Duration {
	return min(maxHold, time.Duration(maxHoldBytes/w.rate()*float64(time.Second)))
}
