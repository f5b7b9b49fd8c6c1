package main

import (
	"math/rand/v2"
	"time"
)

// Path describes a line; each of its two directions has these properties. The zero value adds
// nothing.
type Path struct {
	RTT    time.Duration // round trip, the mean where there is jitter
	Rate   float64       // bytes of IP packets a second; 0 is unlimited
	Queue  int           // bytes that may wait for the bottleneck; what comes beyond is dropped
	Jitter time.Duration // width of what is added to the delay of one direction
}

// jitterStep is how long a draw of the jitter holds: what a radio cell grants changes in steps.
const jitterStep = 20 * time.Millisecond

// queue is one direction of a path: a FIFO before a bottleneck, then a delay. It keeps no packet,
// it says when one arrives. The caller gives the time, which must not decrease.
type queue struct {
	path   Path
	random *rand.Rand
	free   time.Duration // when the bottleneck has sent all that was admitted
	last   time.Duration // the last arrival: no packet overtakes another
	extra  time.Duration // the jitter that holds
	redraw time.Duration // until then
}

// newQueue makes a direction. Equal seeds give equal jitter.
func newQueue(path Path, seed uint64) *queue {
	return &queue{path: path, random: rand.New(rand.NewPCG(seed, seed))}
}

// admit takes a packet and returns when its last byte arrives, or false if the queue is full.
func (q *queue) admit(now time.Duration, bytes int) (arrival time.Duration, ok bool) {
	sent := now
	if q.path.Rate > 0 {
		q.free = max(q.free, now)
		// What is in service counts as waiting, as a router's queue counts it.
		if waiting := float64(q.free-now) * q.path.Rate / float64(time.Second); waiting+float64(bytes) > float64(q.path.Queue) {
			return 0, false
		}
		q.free += time.Duration(float64(bytes) / q.path.Rate * float64(time.Second))
		sent = q.free
	}
	arrival = max(sent+q.path.RTT/2+q.jitter(now), q.last)
	q.last = arrival
	return arrival, true
}

// jitter returns what is added to the delay now; half of the width is taken off, so that the mean
// of the delay is that of the path.
func (q *queue) jitter(now time.Duration) time.Duration {
	if q.path.Jitter <= 0 {
		return 0
	}
	if now >= q.redraw {
		q.extra = time.Duration(q.random.Int64N(int64(q.path.Jitter))) - q.path.Jitter/2
		q.redraw = now + jitterStep
	}
	return q.extra
}
