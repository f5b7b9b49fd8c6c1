package congestion

import (
	"container/heap"
	"math/rand"
	"sort"
	"time"
)

// path is a simulated bottleneck: a FIFO queue served at rate, a delay, and senders that
// each keep a Window full. Time is simulated, so a minute takes milliseconds.
type path struct {
	rate  float64       // bytes per second
	delay time.Duration // round trip without a queue
	stall time.Duration // until then nothing leaves the queue: a loss that TCP below repairs
	// sender and receiver return when that end, whose processor is shared, handles what
	// comes to it at a time. nil: at once.
	sender, receiver func(time.Duration) time.Duration
	// jitter returns what the delay has more of for what is sent at a time. nil: nothing.
	jitter func(time.Duration) time.Duration
	// slow tells that TCP below is at its own slow start.
	slow bool

	now    time.Duration
	free   time.Duration // when the bottleneck has served all that was queued
	last   time.Duration // when what was sent last arrives
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
	tcp      *slowStart // nil: what is sent reaches the bottleneck at once
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
	if p.slow {
		f.tcp = &slowStart{path: p, window: firstPackets}
	}
	p.flows = append(p.flows, f)
	p.at(start, func() { p.fill(f) })
	return f
}

// ask lets the flow's window know the round trip before its start, as a request and its answer do.
func (p *path) ask(f *flow) {
	f.window.OnAck(p.delay, f.window.OnSend(0, 0, 100, true), 100)
	f.start, p.now = p.delay, 0
}

// fill sends while the window allows.
func (p *path) fill(f *flow) {
	for f.inFlight < f.window.Size() && (f.stop == 0 || p.now < f.stop) {
		message := f.window.Message(256 << 10)
		f.inFlight += message
		sent := p.now
		mark := f.window.OnSend(sent, f.inFlight-message, message, false)
		p.carry(f, message, func(passed time.Duration) {
			arrival := passed + p.delay
			if p.jitter != nil {
				p.last = max(p.last, arrival+p.jitter(passed)) // nothing overtakes
				arrival = p.last
			}
			handled := awake(p.sender, awake(p.receiver, arrival-p.delay/2)+p.delay/2)
			p.at(handled, func() {
				f.inFlight -= message
				f.acked += message
				f.queueing = append(f.queueing, passed-sent)
				f.times = append(f.times, p.now)
				f.sizes = append(f.sizes, message)
				f.window.OnAck(p.now, mark, message)
				p.fill(f)
			})
		})
	}
}

// carry calls then with the time at which the bottleneck has passed on all of a message.
func (p *path) carry(f *flow, message int, then func(passed time.Duration)) {
	if f.tcp == nil {
		then(p.pass(message))
		return
	}
	f.tcp.write(message, then)
}

// pass lets the bottleneck serve bytes behind all that is queued, and returns when it has.
func (p *path) pass(bytes int) time.Duration {
	p.free = max(p.free, p.now, p.stall) + time.Duration(float64(bytes)/p.rate*float64(time.Second))
	return p.free
}

func awake(end func(time.Duration) time.Duration, at time.Duration) time.Duration {
	if end == nil {
		return at
	}
	return end(at)
}

// busy returns an end whose processor has other work: it works for a time and then waits for
// another, from least to most each.
func busy(seed int64, least, most time.Duration) func(time.Duration) time.Duration {
	random := rand.New(rand.NewSource(seed))
	pick := func() time.Duration { return least + time.Duration(random.Int63n(int64(most-least))) }
	var ends []time.Duration // of the times of work and of waiting, in turn
	return func(at time.Duration) time.Duration {
		for len(ends) == 0 || ends[len(ends)-1] <= at {
			last := time.Duration(0)
			if len(ends) > 0 {
				last = ends[len(ends)-1]
			}
			ends = append(ends, last+pick())
		}
		i := sort.Search(len(ends), func(i int) bool { return ends[i] > at })
		if i%2 == 0 { // works
			return at
		}
		return ends[i]
	}
}

// radio returns the jitter of a phone's line: up to most, another amount every 20 ms.
func radio(seed int64, most time.Duration) func(time.Duration) time.Duration {
	const every = 20 * time.Millisecond
	random := rand.New(rand.NewSource(seed))
	var amounts []time.Duration
	return func(at time.Duration) time.Duration {
		for len(amounts) <= int(at/every) {
			amounts = append(amounts, time.Duration(random.Int63n(int64(most))))
		}
		return amounts[at/every]
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

// between returns the bytes that f got through, and the largest and the mean queueing
// delay, from one time to another.
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
