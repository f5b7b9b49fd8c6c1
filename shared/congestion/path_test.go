package congestion

import (
	"container/heap"
	"time"
)

// path is a simulated bottleneck: a FIFO queue served at rate, a delay, and senders that each keep a Window full. Time is
// simulated, so a minute takes milliseconds.
type path struct {
	rate  float64       // bytes per second
	delay time.Duration // round trip without a queue
	stall time.Duration // until then nothing leaves the queue: a loss that TCP below repairs

	now    time.Duration
	free   time.Duration // when the bottleneck has served all that was queued
	events events
	flows  []*flow
}

type flow struct {
	window   *Window
	start    time.Duration
	stop     time.Duration // 0: never
	inFlight int
	acked    int
	queueing []time.Duration // one sample for each acknowledgement
	times    []time.Duration
	sizes    []int
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

var sequence int

func (p *path) at(when time.Duration, do func()) {
	sequence++
	heap.Push(&p.events, event{when, sequence, do})
}

func (p *path) add(start time.Duration, limit int) *flow {
	f := &flow{window: New(limit), start: start}
	p.flows = append(p.flows, f)
	p.at(start, func() { p.fill(f) })
	return f
}

// ask lets the flow's window know the round trip before its start, as a request and its answer do.
func (p *path) ask(f *flow) {
	f.window.OnAck(p.delay, 0, f.window.OnSend(0, 0, 100, true), 100)
	f.start, p.now = p.delay, 0
}

// fill sends while the window allows.
func (p *path) fill(f *flow) {
	for f.inFlight < f.window.Size() && (f.stop == 0 || p.now < f.stop) {
		message := f.window.Message(256 << 10)
		f.inFlight += message
		sent := p.now
		p.free = max(p.free, p.now, p.stall) + time.Duration(float64(message)/p.rate*float64(time.Second))
		arrival := p.free + p.delay
		mark := f.window.OnSend(sent, f.inFlight-message, message, false)
		p.at(arrival, func() {
			f.inFlight -= message
			f.acked += message
			f.queueing = append(f.queueing, arrival-sent-p.delay)
			f.times = append(f.times, p.now)
			f.sizes = append(f.sizes, message)
			f.window.OnAck(p.now, 0, mark, message)
			p.fill(f)
		})
	}
}

// run advances the simulation to the time given.
func (p *path) run(until time.Duration) {
	for len(p.events) > 0 && p.events[0].at <= until {
		e := heap.Pop(&p.events).(event)
		p.now = e.at
		e.do()
	}
	p.now = until
}

// between returns the bytes that f got through, and the largest and the mean queueing delay, from one time to another.
func (f *flow) between(from, to time.Duration) (bytes int, worst, mean time.Duration) {
	var sum time.Duration
	n := 0
	for i, at := range f.times {
		if at < from || at >= to {
			continue
		}
		bytes += f.sizes[i]
		worst = max(worst, f.queueing[i])
		sum += f.queueing[i]
		n++
	}
	if n > 0 {
		mean = sum / time.Duration(n)
	}
	return bytes, worst, mean
}
