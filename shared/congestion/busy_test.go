package congestion

import (
	"fmt"
	"sort"
	"testing"
	"time"
)

const (
	leastLate = 5 * time.Millisecond
	mostLate  = 50 * time.Millisecond
)

// TestBusyEndsKeepTheLine: the ends' processors have other work for 5 to 50 ms at a time, half of
// the time. That is no queue: the line stays in use, and what stands in its queue is no more than
// what the delays call for.
func TestBusyEndsKeepTheLine(t *testing.T) {
	const seeds = 4
	for _, rate := range []float64{1.25e6, 12.5e6, 125e6} {
		for _, delay := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			for ends, want := range map[string]float64{
				"sender":   0.95,
				"receiver": 0.95,
				"both":     0.90, // late by up to 100 ms together, which is more than a window holds
				"radio":    0.90, // the path's own delay changes
			} {
				t.Run(fmt.Sprintf("%.1fMBps/%v/%s", rate/1e6, delay, ends), func(t *testing.T) {
					used := 0.0
					for seed := range int64(seeds) {
						p := &path{rate: rate, delay: delay}
						p.disturb(ends, 2*seed+1)
						f := p.add(0, limit)
						p.run(40 * time.Second)
						bytes, worst, mean := f.between(5*time.Second, 40*time.Second)
						used += use(bytes, p, 35*time.Second) / seeds
						floor := time.Duration(float64(minimum+smallest) / rate * float64(time.Second))
						if mean > 2*target+maxHold+floor || worst > 2*(3*target+maxHold+floor) {
							t.Errorf("queueing delay: mean %v, worst %v", mean, worst)
						}
					}
					if used < want {
						t.Errorf("%.1f %% of the line used", used*100)
					}
				})
			}
		}
	}
}

// disturb makes the ends of that name late, or the path's own delay change.
func (p *path) disturb(ends string, seed int64) {
	switch ends {
	case "radio":
		there, back := radio(seed, 20*time.Millisecond), radio(seed+1, 20*time.Millisecond)
		p.jitter = func(at time.Duration) time.Duration { return there(at) + back(at) }
	case "sender":
		p.sender = busy(seed, leastLate, mostLate)
	case "receiver":
		p.receiver = busy(seed+1, leastLate, mostLate)
	case "both":
		p.sender, p.receiver = busy(seed, leastLate, mostLate), busy(seed+1, leastLate, mostLate)
	}
}

// TestBusyEndsHaveFewMessages: where messages wait for busy ends they are long, so that these ends
// have less to do. On a calm path one takes a millisecond of the line.
func TestBusyEndsHaveFewMessages(t *testing.T) {
	mean := func(receiver func(time.Duration) time.Duration) int {
		p := &path{rate: 12.5e6, delay: 20 * time.Millisecond, receiver: receiver}
		f := p.add(0, limit)
		p.run(20 * time.Second)
		first := sort.Search(len(f.times), func(i int) bool { return f.times[i] >= 5*time.Second })
		sum := 0
		for _, n := range f.sizes[first:] {
			sum += n
		}
		return sum / (len(f.sizes) - first)
	}
	calm, late := mean(nil), mean(busy(1, leastLate, mostLate))
	if calm > 15_000 || late < 3*calm {
		t.Errorf("messages of %d bytes, %d where an end is busy", calm, late)
	}
}

// TestHoldEnds: the window holds no more than the law's target once the ends are not busy any more.
func TestHoldEnds(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond, receiver: busy(1, leastLate, mostLate)}
	f := p.add(0, limit)
	p.run(10 * time.Second)
	if f.window.hold.more < target {
		t.Errorf("the window holds %v more beside a busy end", f.window.hold.more)
	}
	p.receiver = nil
	p.run(40 * time.Second)
	bytes, _, mean := f.between(25*time.Second, 40*time.Second)
	if used := use(bytes, p, 15*time.Second); used < 0.95 || mean > target+5*time.Millisecond {
		t.Errorf("%.1f %% of the line used, mean queueing delay %v", used*100, mean)
	}
}

// TestSingleStallIsForgottenSoon: a calm machine has stalls, too. What the window holds for one
// fades within two seconds, because messages wait alike again.
func TestSingleStallIsForgottenSoon(t *testing.T) {
	const first, length, step, stalls = 5 * time.Second, 40 * time.Millisecond, 37 * time.Millisecond, 8
	held := 0
	for i := range stalls { // in other parts of a cycle
		stall := first + time.Duration(i)*step
		p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
		p.receiver = func(at time.Duration) time.Duration {
			if at > stall && at < stall+length {
				return stall + length
			}
			return at
		}
		f := p.add(0, limit)
		var most time.Duration
		for p.now < stall+2*time.Second {
			p.run(p.now + 10*time.Millisecond)
			if p.now > stall {
				most = max(most, f.window.hold.more)
			}
		}
		if most > 0 {
			held++
		}
		if more := f.window.hold.more; more > target/8 {
			t.Errorf("stall after %v: the window holds %v more after two seconds", stall, more)
		}
	}
	if held < stalls/2 {
		t.Errorf("something was held for %d of %d stalls", held, stalls)
	}
}

// TestQueueIsNoLateness: where all messages wait the window holds nothing for it: on a line that
// has become slower, and on one that others fill.
func TestQueueIsNoLateness(t *testing.T) {
	for name, change := range map[string]func(*path){
		"nothing":     func(*path) {},
		"slower":      func(p *path) { p.rate /= 4 },
		"slower much": func(p *path) { p.rate /= 16 },
		"others":      func(p *path) { p.add(p.now, limit); p.add(p.now, limit) },
	} {
		t.Run(name, func(t *testing.T) {
			p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
			f := p.add(0, limit)
			p.run(5 * time.Second)
			change(p)
			var sum time.Duration
			n := 0
			for p.now < 60*time.Second {
				p.run(p.now + 10*time.Millisecond)
				sum += f.window.hold.more
				n++
			}
			// The round trips of the moment in which a path changes are some of both.
			if mean := sum / time.Duration(n); mean > target/2 {
				t.Errorf("the window holds %v more in the mean", mean)
			}
		})
	}
}

// TestHoldIsBounded: on a fast path the hold is bounded by bytes.
func TestHoldIsBounded(t *testing.T) {
	p := &path{rate: 500e6, delay: time.Millisecond, receiver: busy(1, leastLate, mostLate)}
	f := p.add(0, limit)
	for p.now < 10*time.Second {
		p.run(p.now + 10*time.Millisecond)
		// What is held is that of the rate by which it was decided last.
		if held := f.window.worth(f.window.hold.more); held > 2*maxHoldBytes {
			t.Fatalf("%d bytes held after %v", held, p.now)
		}
	}
	if f.window.hold.more == 0 {
		t.Error("nothing is held")
	}
}
