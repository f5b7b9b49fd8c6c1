package congestion

import "time"

const (
	// baseLife is how long a measured base holds (BBR: 10 s).
	baseLife = 10 * time.Second
	// probeTime is how long the window is cut when base has outlived itself; one round trip is
	// added.
	probeTime = 50 * time.Millisecond
	// probeDrain is how much of the queue a probe drains, in time: more than the law lets
	// stand there.
	probeDrain = 3 * target
)

// base is the round trip without a queue. It is the least that was seen since it was measured
// last, which is where the queue is empty: at the beginning of a flight, or in a probe, for which
// the window is cut.
type base struct {
	rtt    time.Duration // 0 before the first sample
	seen   time.Duration // when it was
	last   time.Duration // the last sample
	empty  bool          // the next sample is of an empty path
	ends   time.Duration // of the probe; 0: there is none
	probed time.Duration // least of the probe
}

func (b *base) probing() bool { return b.ends != 0 }

// drained notes that a flight begins: the path is empty.
func (b *base) drained() { b.empty = true }

// refresh begins a probe where the base is too old.
func (b *base) refresh(now time.Duration) {
	if now-b.seen > baseLife {
		b.ends = now + b.last + probeTime
		b.probed = 0
	}
}

// sample notes a round trip.
func (b *base) sample(now, rtt time.Duration) {
	b.last = rtt
	if b.rtt == 0 || rtt < b.rtt || b.empty && now-b.seen > baseLife {
		b.rtt, b.seen = rtt, now
	}
	b.empty = false
	if !b.probing() {
		return
	}
	if b.probed == 0 || rtt < b.probed {
		b.probed = rtt
	}
	if now < b.ends {
		return
	}
	b.ends = 0
	b.rtt, b.seen = b.probed, now
}
