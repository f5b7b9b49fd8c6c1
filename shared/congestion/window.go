// Package congestion decides how many bytes the link may have in flight: sent, and not yet
// acknowledged by the other end's link.
//
// TCP below keeps the path from collapsing, but it fills every buffer on the way (the browser's,
// the kernels', the router's), and in one shared connection a keystroke then waits behind all of
// it. The window here holds what the path carries and a small queue. It follows the model of BBR
// (Cardwell et al.: BBR: Congestion-Based Congestion Control, ACM Queue 14(5), 2016): the rate of
// delivery, as the most seen in the last rounds, and the round trip without a queue, as the least
// seen in the last seconds. The law is
//
//	window = rate * (base + target + hold)
//
// with a target in time, as LEDBAT has it (RFC 6817). As the window is (base+target)/base of what
// the path holds, a line that becomes faster shows it by itself. One that becomes slower counts
// when the old maximum has left the filter. The hold is 0 but where processors are late.
//
//   - start.go: the window of a new path doubles each round until a queue is seen.
//   - base.go: the round trip without a queue, measured anew every ten seconds (BBR's ProbeRTT).
//   - hold.go: a busy processor's delay is not a queue.
package congestion

import "time"

const (
	// target is the queueing delay to keep: enough that the line never runs dry while the
	// ends are busy for some milliseconds (a browser's main thread is) and between two
	// acknowledgements, little enough not to be felt.
	target = 8 * time.Millisecond
	// minimum keeps a slow path moving: a dozen packets.
	minimum = 16 << 10
	// rounds is for how many round trips a rate is remembered (BBR: 10).
	rounds = 10
	// cycle is how many rounds there are from one try for more to the next. It divides rounds.
	cycle = 5
	// smooth is the weight of old samples in a smoothed delay (RFC 6298, section 2).
	smooth = 8
)

// Window is the control law for one direction of one link. It is not safe for concurrent use: the
// link calls it with its lock held. All times are from one monotonic clock whose zero does not
// matter.
type Window struct {
	limit int // upper bound, the link's bound on unacknowledged bytes
	size  int

	delivered   uint64        // bytes acknowledged
	deliveredAt time.Duration // when the last of them arrived
	sentAt      time.Duration // when the last of them was sent

	rates     [rounds]float64 // the most of each of the last rounds, in bytes per second
	round     int
	roundEnds uint64        // value of delivered that ends the round
	seen      seen          // in this round
	used      int           // most bytes in flight in the round before
	queue     time.Duration // how long messages wait, smoothed

	start start
	base  base
	hold  hold
}

// seen is what a round has shown.
type seen struct {
	peak int  // most bytes in flight
	full bool // the window was the limit
}

// Mark is what the link keeps with each message that is in flight.
type Mark struct {
	sent        time.Duration
	delivered   uint64
	deliveredAt time.Duration
	firstSent   time.Duration
	idle        bool // the sender had no more to send: the rate is its own, not the path's
}

// RTT returns the round trip of a message whose acknowledgement would have come at now had it
// been sent at once.
func (m Mark) RTT(now time.Duration) time.Duration { return now - m.sent }

// New returns the window of a new path; it never exceeds limit bytes.
func New(limit int) *Window {
	w := &Window{limit: max(limit, minimum)}
	w.Reset(0)
	return w
}

// Reset forgets the path: the link has a new carrier.
func (w *Window) Reset(now time.Duration) {
	*w = Window{limit: w.limit, size: min(initial, w.limit), deliveredAt: now, sentAt: now}
	w.start.active = true
	w.base.seen = now
}

// SetLimit replaces the upper bound.
func (w *Window) SetLimit(limit int) {
	w.limit = max(limit, minimum)
	w.size = min(w.size, w.limit)
}

// Size returns how many bytes may be in flight.
func (w *Window) Size() int { return w.size }

// Base returns the round trip without a queue, 0 before the first sample.
func (w *Window) Base() time.Duration { return w.base.rtt }

// OnSend notes that a message of n bytes is sent where inFlight are in flight already. idle tells
// that nothing waits behind it and the window has room.
func (w *Window) OnSend(now time.Duration, inFlight, n int, idle bool) Mark {
	if inFlight == 0 { // a new flight: the time without one says nothing about the path
		w.deliveredAt, w.sentAt = now, now
		w.base.drained()
	}
	w.seen.peak = max(w.seen.peak, inFlight+n)
	w.seen.full = w.seen.full || inFlight+n >= w.size
	return Mark{sent: now, delivered: w.delivered, deliveredAt: w.deliveredAt, firstSent: w.sentAt, idle: idle}
}

// OnAck tells that n more bytes have arrived, of which the last were sent with the mark.
// now is when their acknowledgement would have come had the other end sent it at once.
func (w *Window) OnAck(now time.Duration, mark Mark, n int) {
	rtt := max(now-mark.sent, time.Microsecond)
	w.delivered += uint64(n)
	interval := max(now-mark.deliveredAt, mark.sent-mark.firstSent, time.Microsecond)
	rate := float64(w.delivered-mark.delivered) / interval.Seconds()
	w.deliveredAt, w.sentAt = now, mark.sent
	if w.base.probing() {
		w.hold.restart()
	} else if mark.delivered >= w.roundEnds { // a probe must not age the rates
		w.endRound(now)
	}
	if !mark.idle || rate > w.rate() {
		w.rates[w.round] = max(w.rates[w.round], rate)
	}
	w.base.sample(now, rtt)
	w.queue += (rtt - w.base.rtt - w.queue) / smooth
	if w.start.active {
		w.queueing(now, rtt-w.base.rtt)
		w.size = min(max(w.size, firstWindow(w.base.rtt)), w.limit)
		w.grow(n)
		return
	}
	if !mark.idle && !w.drained() {
		w.hold.sample(rtt - w.base.rtt)
	}
	w.settle(now, n)
}

// endRound ends a round trip: what was sent behind its first acknowledgement has arrived.
// A round in which the window was not the limit says nothing about the path, so it ages
// no rate: a transfer behind keystrokes has the window of the transfer before them.
func (w *Window) endRound(now time.Duration) {
	w.roundEnds = w.delivered
	w.judge()
	w.lateness(now)
	if w.seen.full {
		w.round = (w.round + 1) % rounds
		w.rates[w.round] = 0
	}
	w.used = w.seen.peak
	w.seen = seen{}
}

// rate is the path's rate of delivery.
func (w *Window) rate() float64 {
	most := 0.0
	for _, r := range w.rates {
		most = max(most, r)
	}
	return most
}

// worth returns how many bytes the path delivers in that time.
func (w *Window) worth(d time.Duration) int { return int(w.rate() * d.Seconds()) }

// settle sets the window by the law. It falls at once and rises with what arrives, so that no
// burst makes the queue that the law avoids.
func (w *Window) settle(now time.Duration, n int) {
	if w.rate() == 0 {
		return
	}
	var size int
	if w.base.probing() {
		size = w.worth(max(w.base.rtt-probeDrain, w.base.rtt/8))
	} else {
		size = w.worth(w.base.rtt + target + w.hold.more + w.try())
		w.base.refresh(now)
		if w.size < size/4*3 { // behind a probe: the window is not the law's yet
			w.hold.restart()
		}
	}
	w.size = max(min(size, w.limit, w.size+n/2), minimum)
}

// try lets sessions that share a line come to equal parts (BBR's ProbeBW): in one round of a cycle
// each holds more, which a small one gains more by than a large one, and in the next the queue of
// that drains.
func (w *Window) try() time.Duration {
	more := min(w.base.rtt/4, target)
	switch w.round % cycle {
	case 0:
		return more
	case 1:
		return -more
	}
	return 0
}

// drained reports whether this is a round in which messages come that were sent while try held
// less: their queue is short on purpose.
func (w *Window) drained() bool {
	at := w.round % cycle
	return at == 2 || at == 3
}
