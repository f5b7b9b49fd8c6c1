package main

import (
	"testing"
	"time"
)

const full = 1500

// admitted gives n packets to the queue at once and returns the arrivals of those that it takes.
func admitted(q *queue, now time.Duration, n int) (arrivals []time.Duration) {
	for range n {
		if at, ok := q.admit(now, full); ok {
			arrivals = append(arrivals, at)
		}
	}
	return arrivals
}

func TestQueueAddsHalfTheRoundTrip(t *testing.T) {
	q := newQueue(Path{RTT: 20 * time.Millisecond}, 1)
	for _, now := range []time.Duration{0, time.Second, time.Second} {
		if at, ok := q.admit(now, full); !ok || at != now+10*time.Millisecond {
			t.Errorf("admit at %v: %v, %v", now, at, ok)
		}
	}
}

func TestQueueSendsAtTheRate(t *testing.T) {
	q := newQueue(Path{RTT: 2 * time.Millisecond, Rate: 1.5e6, Queue: 1 << 20}, 1)
	for i, at := range admitted(q, 0, 100) {
		if want := time.Duration(i+2) * time.Millisecond; at != want { // 1 ms each, and 1 ms of delay
			t.Fatalf("packet %d arrives at %v, want %v", i, at, want)
		}
	}
	// After a pause the line is free at once: a pause earns no burst.
	for i, at := range admitted(q, time.Second, 3) {
		if want := time.Second + time.Duration(i+2)*time.Millisecond; at != want {
			t.Fatalf("packet %d after the pause arrives at %v, want %v", i, at, want)
		}
	}
}

func TestQueueDropsWhatItHasNoRoomFor(t *testing.T) {
	q := newQueue(Path{Rate: 1.5e6, Queue: 10 * full}, 1)
	if n := len(admitted(q, 0, 30)); n != 10 {
		t.Errorf("%d packets of 30 taken, want 10", n)
	}
	if n := len(admitted(q, 3*time.Millisecond, 30)); n != 3 {
		t.Errorf("after 3 packets were sent %d taken, want 3", n)
	}
	if n := len(admitted(newQueue(Path{Rate: 1.5e6}, 1), 0, 1)); n != 0 {
		t.Errorf("a queue of no bytes took %d packets", n)
	}
}

func TestQueueJittersWithoutReordering(t *testing.T) {
	path := Path{RTT: 60 * time.Millisecond, Rate: 1.25e6, Queue: 96_000, Jitter: 20 * time.Millisecond}
	q := newQueue(path, 1)
	var last, least, most, sum time.Duration
	const packets = 10_000
	least = time.Hour
	for i := range packets {
		now := time.Duration(i) * 5 * time.Millisecond
		at, ok := q.admit(now, 100)
		if !ok {
			t.Fatal("a packet was dropped from an empty queue")
		}
		if at < last {
			t.Fatalf("packet %d arrives at %v, before one that was sent earlier", i, at)
		}
		last = at
		delay := at - now
		least, most, sum = min(least, delay), max(most, delay), sum+delay
	}
	if least < 20*time.Millisecond || most > 41*time.Millisecond {
		t.Errorf("delays from %v to %v, want 30 ms and 10 ms around them", least, most)
	}
	if spread := most - least; spread < 15*time.Millisecond {
		t.Errorf("delays differ by %v, the jitter is of 20 ms", spread)
	}
	if mean := sum / packets; mean < 28*time.Millisecond || mean > 34*time.Millisecond {
		t.Errorf("mean delay %v, want about 30 ms", mean)
	}
}

func TestQueueJittersAlikeWithEqualSeeds(t *testing.T) {
	path := Path{RTT: 60 * time.Millisecond, Jitter: 20 * time.Millisecond}
	one, same, other := newQueue(path, 1), newQueue(path, 1), newQueue(path, 2)
	differs := false
	for i := range 100 {
		now := time.Duration(i) * jitterStep
		a, _ := one.admit(now, full)
		b, _ := same.admit(now, full)
		c, _ := other.admit(now, full)
		if a != b {
			t.Fatalf("packet %d: %v and %v with equal seeds", i, a, b)
		}
		differs = differs || a != c
	}
	if !differs {
		t.Error("another seed gives the same jitter")
	}
}
