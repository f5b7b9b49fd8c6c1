package congestion

import (
	"fmt"
	"testing"
	"time"
)

const limit = 64 << 20

// use is the part of the line that was used.
func use(bytes int, p *path, over time.Duration) float64 {
	return float64(bytes) / (p.rate * over.Seconds())
}

func TestSteadyStateFillsTheLineWithASmallQueue(t *testing.T) {
	for _, rate := range []float64{0.25e6, 1.25e6, 12.5e6, 125e6} {
		for _, delay := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond} {
			t.Run(fmt.Sprintf("%.1fMBps/%v", rate/1e6, delay), func(t *testing.T) {
				p := &path{rate: rate, delay: delay}
				f := p.add(0, limit)
				p.run(40 * time.Second)
				bytes, worst, mean := f.between(10*time.Second, 40*time.Second)
				if used := use(bytes, p, 30*time.Second); used < 0.95 {
					t.Errorf("%.1f %% of the line used", used*100)
				}
				// One message's own time on a slow line is no queue that a window could
				// avoid, nor is the minimum window.
				floor := time.Duration(float64(minimum+smallest) / rate * float64(time.Second))
				if mean > target+5*time.Millisecond+floor {
					t.Errorf("mean queueing delay %v, worst %v", mean, worst)
				}
				if worst > 6*target+floor {
					t.Errorf("worst queueing delay %v", worst)
				}
			})
		}
	}
}

func TestStartReachesTheLineQuickly(t *testing.T) {
	p := &path{rate: 125e6, delay: 100 * time.Millisecond}
	f := p.add(0, limit)
	p.run(3 * time.Second)
	bytes, _, _ := f.between(time.Second, 3*time.Second)
	if used := use(bytes, p, 2*time.Second); used < 0.9 {
		t.Errorf("%.1f %% of the line used from the second second on", used*100)
	}
}

func TestRoundTripGrows(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	p.run(10 * time.Second)
	p.delay = 80 * time.Millisecond // a new path
	p.run(60 * time.Second)
	bytes, _, mean := f.between(30*time.Second, 60*time.Second)
	if used := use(bytes, p, 30*time.Second); used < 0.95 {
		t.Errorf("%.1f %% of the line used after the round trip grew", used*100)
	}
	if mean > 2*target {
		t.Errorf("mean queueing delay %v", mean)
	}
}

func TestRoundTripShrinks(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 80 * time.Millisecond}
	f := p.add(0, limit)
	p.run(10 * time.Second)
	p.delay = 20 * time.Millisecond
	p.run(30 * time.Second)
	bytes, _, mean := f.between(15*time.Second, 30*time.Second)
	if used := use(bytes, p, 15*time.Second); used < 0.95 {
		t.Errorf("%.1f %% of the line used", used*100)
	}
	if mean > 2*target {
		t.Errorf("mean queueing delay %v: the old base was kept", mean)
	}
}

func TestRateFalls(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	p.run(10 * time.Second)
	p.rate = 1.25e6
	p.run(45 * time.Second)
	bytes, _, mean := f.between(25*time.Second, 45*time.Second)
	if used := use(bytes, p, 20*time.Second); used < 0.95 {
		t.Errorf("%.1f %% of the line used", used*100)
	}
	if mean > 3*target {
		t.Errorf("mean queueing delay %v", mean)
	}
}

func TestTwoSessionsShare(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	first := p.add(0, limit)
	second := p.add(5*time.Second, limit)
	p.run(90 * time.Second)
	a, _, _ := first.between(45*time.Second, 90*time.Second)
	b, _, mean := second.between(45*time.Second, 90*time.Second)
	if used := use(a+b, p, 45*time.Second); used < 0.95 {
		t.Errorf("%.1f %% of the line used", used*100)
	}
	if share := float64(min(a, b)) / float64(a+b); share < 0.2 {
		t.Errorf("the smaller share is %.0f %%", share*100)
	}
	if mean > 4*target {
		t.Errorf("mean queueing delay %v", mean)
	}
}

func TestLossIsOnlyAPause(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	for second := 5; second < 30; second += 5 {
		p.at(time.Duration(second)*time.Second, func() { p.stall = p.now + 250*time.Millisecond })
	}
	p.run(30 * time.Second)
	bytes, _, _ := f.between(5*time.Second, 30*time.Second)
	// Five stalls of 250 ms are 5 % of the time.
	if used := use(bytes, p, 25*time.Second); used < 0.90 {
		t.Errorf("%.1f %% of the line used", used*100)
	}
}

func TestUnusedWindowDoesNotGrow(t *testing.T) {
	w := New(limit)
	for i := range 1000 {
		sent := time.Duration(i) * 20 * time.Millisecond
		w.OnAck(sent+20*time.Millisecond, w.OnSend(sent, 0, 1000, true), 1000)
	}
	if w.Size() != initial {
		t.Errorf("the window is %d after small exchanges, %d at the start", w.Size(), initial)
	}
}

func TestLimitHolds(t *testing.T) {
	p := &path{rate: 125e6, delay: 300 * time.Millisecond}
	f := p.add(0, 1<<20)
	p.run(5 * time.Second)
	if f.window.Size() > 1<<20 {
		t.Errorf("window %d exceeds its limit", f.window.Size())
	}
}

func TestResetForgetsThePath(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	p.run(5 * time.Second)
	f.window.Reset(p.now)
	if f.window.Size() != initial || f.window.Base() != 0 || f.window.Message(limit) != first {
		t.Errorf("after Reset: size %d, base %v, message %d", f.window.Size(), f.window.Base(), f.window.Message(limit))
	}
}

// TestTriesForMore: in one round of each cycle a session that has settled holds more than the
// law says, and in the next one less by as much. So sessions that share a line come to equal
// parts.
func TestTriesForMore(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	p.run(5 * time.Second)
	var most, least [cycle]int
	for p.now < 9*time.Second { // no probe of the round trip comes before 10 s
		p.run(p.now + time.Millisecond)
		i, size := f.window.round%cycle, f.window.Size()
		most[i] = max(most[i], size)
		if least[i] == 0 || size < least[i] {
			least[i] = size
		}
	}
	law := f.window.rate() * (f.window.base.rtt + target).Seconds()
	more := f.window.rate() * (f.window.base.rtt / 4).Seconds()
	for i, want := range map[int]float64{0: law + more, 1: law - more} {
		got := float64(most[i])
		if i == 1 {
			got = float64(least[i])
		}
		if got < 0.98*want || got > 1.02*want {
			t.Errorf("round %d of a cycle: %.0f bytes, want %.0f; the law says %.0f", i, got, want, law)
		}
	}
	for i := 2; i < cycle; i++ {
		if got := float64(most[i]); got > 1.02*law {
			t.Errorf("round %d of a cycle: %.0f bytes, the law says %.0f", i, got, law)
		}
	}
}
