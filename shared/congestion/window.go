// Package congestion decides how many bytes the link may have in flight: sent, and not yet acknowledged by the other end's link.
//
// TCP below us keeps the path from collapsing, but it fills every buffer on the way (the browser's, the kernels', the router's), and in one shared connection
// a keystroke then waits behind all of it. The window here holds what the path carries and a small queue. It follows the model of BBR (Cardwell et
// al.: BBR: Congestion-Based Congestion Control, ACM Queue 14(5), 2016): the rate of delivery, as the most seen in the last rounds, and the round
// trip without a queue, as the least seen in the last seconds. The law is
//
//	window = rate * (base + target)
//
// with a target in time, as LEDBAT has it (RFC 6817). As the window is (base+target)/base of what the path holds, a line that becomes faster shows it by
// itself; one that becomes slower is believed when the old maximum has left the filter. When base is ten seconds old, the window is
// cut for a moment so that the queue drains and base can be measured anew (BBR's ProbeRTT). At the start the window doubles each round until
// the rate of delivery grows no more.
package congestion

import "time"

const (
	// target is the queueing delay to keep: enough that the line never runs dry while the ends are busy for some
	// milliseconds (a browser's main thread is) and between two acknowledgements, little enough that nobody feels it.
	target = 8 * time.Millisecond
	// initial is the window of a new path. TCP below has its own slow start; this only has to be no obstacle to it.
	initial = 256 << 10
	// minimum keeps a slow path moving: a dozen packets.
	minimum = 16 << 10
	// rounds is for how many round trips a rate is remembered (BBR: 10).
	rounds = 10
	// growth is by how much the rate must grow in a round for the start to go on, and patience in how many rounds (BBR: 1.25 and 3).
	growth   = 1.25
	patience = 3
	// baseLife is how long a measured base holds (BBR: 10 s).
	baseLife = 10 * time.Second
	// probeTime is how long the window is cut when base has outlived itself; one round trip is added.
	probeTime = 50 * time.Millisecond
	// probeDrain is how much of the queue a probe drains, in time: more than the law lets stand there.
	probeDrain = 3 * target
	// cycle is how many rounds there are from one try for more to the next. It divides rounds.
	cycle = 5
	// atOnce is how much time on the line one message may take: what stands behind it waits for the whole of it, and what is in it too. Where that is more than roomy
	// bytes it may take more, because there the ends' work for each message is what things wait for.
	atOnce = time.Millisecond
	roomy  = 64 << 10
	// Messages are not smaller than smallest, because each costs both ends its handling. Until the rate is known they have first: a long one would hide the
	// round trip of a slow path behind its own time on the line.
	smallest = 8 << 10
	first    = 16 << 10
)

// Window is the control law for one direction of one link. It is not safe for concurrent use: the link calls it with its lock held. All times are
// from one monotonic clock whose zero does not matter.
type Window struct {
	limit int // upper bound, the link's bound on unacknowledged bytes
	size  int

	delivered   uint64        // bytes acknowledged
	deliveredAt time.Duration // when the last of them arrived
	sentAt      time.Duration // when the last of them was sent

	rates     [rounds]float64 // the most of each of the last rounds, in bytes per second
	round     int
	roundEnds uint64 // value of delivered that ends the round

	starting bool
	best     float64 // rate when it last grew enough
	stalled  int     // rounds since

	base      time.Duration // least round trip; 0 before the first sample
	baseSeen  time.Duration // when it was
	last      time.Duration // round trip of the last sample
	probeEnds time.Duration // 0: no probe
	probed    time.Duration // least round trip of the probe
}

// Mark is what the link keeps with each message that is in flight.
type Mark struct {
	sent        time.Duration
	delivered   uint64
	deliveredAt time.Duration
	firstSent   time.Duration
	idle        bool // the sender had no more to send: the rate is its own, not the path's
}

// RTT returns the round trip of a message whose acknowledgement would have come at now had it been sent at once.
func (m Mark) RTT(now time.Duration) time.Duration { return now - m.sent }

// New returns the window of a new path; it never exceeds limit bytes.
func New(limit int) *Window {
	w := &Window{limit: max(limit, minimum)}
	w.Reset(0)
	return w
}

// Reset forgets the path: the link has a new carrier.
func (w *Window) Reset(now time.Duration) {
	*w = Window{limit: w.limit, size: min(initial, w.limit), starting: true, deliveredAt: now, sentAt: now, baseSeen: now}
}

// SetLimit replaces the upper bound.
func (w *Window) SetLimit(limit int) {
	w.limit = max(limit, minimum)
	w.size = min(w.size, w.limit)
}

// Size returns how many bytes may be in flight.
func (w *Window) Size() int { return w.size }

// Base returns the round trip without a queue, 0 before the first sample.
func (w *Window) Base() time.Duration { return w.base }

// Message returns how many bytes one message should carry.
func (w *Window) Message(most int) int {
	rate := w.rate()
	if rate == 0 {
		return min(first, most)
	}
	n := max(int(rate*atOnce.Seconds()), smallest)
	if n > roomy {
		n += 3 * (n - roomy)
	}
	return min(n, most)
}

// OnSend notes that a message is sent. idle tells that nothing waits behind it and the window has room.
func (w *Window) OnSend(now time.Duration, inFlight int, idle bool) Mark {
	if inFlight == 0 { // a new flight: the time without one says nothing about the path
		w.deliveredAt, w.sentAt = now, now
	}
	return Mark{sent: now, delivered: w.delivered, deliveredAt: w.deliveredAt, firstSent: w.sentAt, idle: idle}
}

// OnAck tells that n more bytes have arrived by the time now, of which the last were sent with the mark. now is when the acknowledgement would have come
// had it been sent at once.
func (w *Window) OnAck(now time.Duration, mark Mark, n int) {
	rtt := max(now-mark.sent, time.Microsecond)
	w.delivered += uint64(n)
	interval := max(now-mark.deliveredAt, mark.sent-mark.firstSent, time.Microsecond)
	rate := float64(w.delivered-mark.delivered) / interval.Seconds()
	w.deliveredAt, w.sentAt = now, mark.sent
	newRound := mark.delivered >= w.roundEnds && w.probeEnds == 0 // a probe must not push the rate out of memory
	if newRound {
		w.roundEnds = w.delivered
		w.round = (w.round + 1) % rounds
		w.rates[w.round] = 0
	}
	if !mark.idle || rate > w.rate() {
		w.rates[w.round] = max(w.rates[w.round], rate)
	}
	w.learnBase(now, rtt)
	if w.starting {
		w.start(n, newRound, mark.idle, rtt)
		return
	}
	w.settle(now, n)
}

// rate is the path's rate of delivery.
func (w *Window) rate() float64 {
	most := 0.0
	for _, r := range w.rates {
		most = max(most, r)
	}
	return most
}

// start doubles the window each round while that makes the path faster.
func (w *Window) start(n int, newRound, idle bool, rtt time.Duration) {
	if !idle {
		w.size = min(w.size+n, w.limit)
	}
	if !newRound || idle {
		return
	}
	if rate := w.rate(); rate >= w.best*growth {
		w.best, w.stalled = rate, 0
		return
	}
	w.stalled++
	if w.stalled >= patience || rtt > w.base+2*target {
		w.starting = false
	}
}

// settle sets the window by the law. It falls at once and rises with what arrives, so that no burst makes the queue that the law avoids.
func (w *Window) settle(now time.Duration, n int) {
	rate := w.rate()
	if rate == 0 {
		return
	}
	hold := w.base + target + w.try()
	if w.probeEnds != 0 {
		hold = max(w.base-probeDrain, w.base/8)
	}
	w.size = max(min(int(rate*hold.Seconds()), w.limit, w.size+n/2), minimum)
	if w.probeEnds == 0 && now-w.baseSeen > baseLife {
		w.probeEnds = now + w.last + probeTime
		w.probed = 0
	}
}

// try lets sessions that share a line come to equal parts (BBR's ProbeBW): in one round of a cycle each holds more, which a small one gains more by than a
// large one, and in the next the queue of that drains.
func (w *Window) try() time.Duration {
	more := min(w.base/4, target)
	switch w.round % cycle {
	case 0:
		return more
	case 1:
		return -more
	}
	return 0
}

func (w *Window) learnBase(now, rtt time.Duration) {
	w.last = rtt
	if w.base == 0 || rtt < w.base {
		w.base = rtt
		w.baseSeen = now
	}
	if w.probeEnds == 0 {
		return
	}
	if w.probed == 0 || rtt < w.probed {
		w.probed = rtt
	}
	if now >= w.probeEnds {
		w.base, w.baseSeen = w.probed, now
		w.probeEnds = 0
	}
}
