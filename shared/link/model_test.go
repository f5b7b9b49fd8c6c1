package link_test

import (
	"testing"
)

// A model of two ends and the carriers between them, small enough to look at every state that it can reach. It has what docs/PROTOCOL.md, sections 3.2 to 3.4 and 8,
// demand of an implementation and nothing of this one: offsets, acknowledgements, the resume with both offsets, take-over by the newest carrier, and carriers that
// lose any tail of what is under way, in each direction on its own.
//
// One direction carries the bytes 0, 1, 2...; each message is one byte. The other direction is the same by symmetry, but acknowledgements travel in it.

// Bounds of the exploration.
const (
	modelBytes    = 4 // bytes that are sent in all
	modelBound    = 3 // bytes that are kept unacknowledged
	modelCarriers = 4 // carriers in all
	modelFlight   = 2 // messages under way in one direction of a carrier
)

// kinds of a message of the model.
const (
	none  = iota
	data  // n: offset
	ack   // n: received
	hello // n: what the client, here the sender's end, has; and it asks for the receiver's offset
	greet // n: what the receiver has got
)

type packet struct{ kind, n uint8 }

// wireOf is a carrier: what is under way in it. up is from the sender.
type wireOf struct {
	up, down   [modelFlight]packet
	lostUp     bool // the sender's end does not take or give any more
	lostDown   bool // the receiver's end does not
	greeted    bool // the sender has had the welcome
	introduced bool // the receiver has had the hello
}

// model is one state. It is comparable, so that a map knows which were seen.
type model struct {
	written, next, acked uint8 // the sender's
	received             uint8 // the receiver's
	dirty                bool  // received and not acknowledged
	sender, receiver     int8  // the carrier of each end; -1: none
	made                 int8  // carriers so far
	carriers             [modelCarriers]wireOf
}

func push(q *[modelFlight]packet, p packet) bool {
	for i := range q {
		if q[i].kind == none {
			q[i] = p
			return true
		}
	}
	return false
}

func pop(q *[modelFlight]packet) packet {
	p := q[0]
	copy(q[:], q[1:])
	q[modelFlight-1] = packet{}
	return p
}

// steps returns every state that can follow.
func (m model) steps(t *testing.T) []model {
	var next []model
	try := func(act func(*model) bool) {
		n := m
		if act(&n) {
			next = append(next, n)
		}
	}
	// The layer above writes; the bound holds it back.
	try(func(n *model) bool {
		if n.written == modelBytes || n.written-n.acked == modelBound {
			return false
		}
		n.written++
		return true
	})
	// The client dials. It does so when it has no carrier; the receiver may not know yet that its own is lost.
	try(func(n *model) bool {
		if n.sender >= 0 || n.made == modelCarriers {
			return false
		}
		n.sender = n.made
		n.made++
		return push(&n.carriers[n.sender].up, packet{hello, 0})
	})
	// The sender sends the next byte, once it knows how far the other is.
	try(func(n *model) bool {
		if n.sender < 0 || !n.carriers[n.sender].greeted || n.next == n.written {
			return false
		}
		if !push(&n.carriers[n.sender].up, packet{data, n.next}) {
			return false
		}
		n.next++
		return true
	})
	// The receiver acknowledges.
	try(func(n *model) bool {
		if n.receiver < 0 || !n.dirty {
			return false
		}
		if !push(&n.carriers[n.receiver].down, packet{ack, n.received}) {
			return false
		}
		n.dirty = false
		return true
	})
	for i := range int(m.made) {
		next = append(next, m.carrierSteps(t, int8(i))...)
	}
	return next
}

// carrierSteps are what a carrier can do: deliver or be lost.
func (m model) carrierSteps(t *testing.T, i int8) []model {
	var next []model
	c := m.carriers[i]
	// The first message under way arrives at the receiver, who listens to every carrier until its hello, and then to the newest claim.
	if c.up[0].kind != none && !c.lostDown {
		n := m
		p := pop(&n.carriers[i].up)
		switch p.kind {
		case hello:
			if n.receiver >= 0 { // take-over: the older carrier ends at this end
				n.carriers[n.receiver].lostDown = true
			}
			n.receiver, n.dirty = i, false
			n.carriers[i].introduced = true
			push(&n.carriers[i].down, packet{greet, n.received}) // there is room: it is the first
			next = append(next, n)
		case data:
			if n.receiver != i {
				t.Fatalf("data over carrier %d while the session has %d: %+v", i, n.receiver, m)
			}
			switch {
			case p.n > n.received:
				t.Fatalf("a gap: byte %d, but only %d were received: %+v", p.n, n.received, m)
			case p.n == n.received:
				n.received++ // given to the layer above: once, in order, for it is the number that it must be
			}
			n.dirty = true
			next = append(next, n)
		}
	}
	// The first message under way arrives at the sender.
	if c.down[0].kind != none && !c.lostUp && m.sender == i {
		n := m
		p := pop(&n.carriers[i].down)
		switch p.kind {
		case greet:
			if p.n < n.acked || p.n > n.written {
				t.Fatalf("resume at %d, outside of %d to %d: %+v", p.n, n.acked, n.written, m)
			}
			n.carriers[i].greeted = true
			n.acked, n.next = p.n, p.n
		case ack:
			if p.n > n.next {
				t.Fatalf("acknowledgement of %d, but only %d were sent: %+v", p.n, n.next, m)
			}
			n.acked = max(n.acked, p.n)
		}
		next = append(next, n)
	}
	// The carrier is lost: either end may learn of it first, and each loses any tail of what was under way to it.
	if !c.lostUp {
		for keep := range modelFlight + 1 {
			n := m
			n.carriers[i].lostUp = true
			truncate(&n.carriers[i].up, keep)
			n.carriers[i].down = [modelFlight]packet{}
			if n.sender == i {
				n.sender = -1
			}
			next = append(next, n)
		}
	}
	if !c.lostDown {
		for keep := range modelFlight + 1 {
			n := m
			n.carriers[i].lostDown = true
			n.carriers[i].up = [modelFlight]packet{}
			truncate(&n.carriers[i].down, keep)
			if n.receiver == i {
				n.receiver = -1
			}
			next = append(next, n)
		}
	}
	return next
}

func truncate(q *[modelFlight]packet, keep int) {
	for i := keep; i < modelFlight; i++ {
		q[i] = packet{}
	}
}

// check is what holds in every state.
func (m model) check(t *testing.T) {
	switch {
	case m.acked > m.received:
		t.Fatalf("byte %d was given up before it was received: %+v", m.received, m)
	case m.received > m.written:
		t.Fatalf("more was received than written: %+v", m)
	case m.written-m.acked > modelBound:
		t.Fatalf("%d bytes are kept, the bound is %d: %+v", m.written-m.acked, modelBound, m)
	case m.next < m.acked || m.next > m.written:
		t.Fatalf("the next byte is %d, outside of %d to %d: %+v", m.next, m.acked, m.written, m)
	}
}

// normal makes equal what behaves equally: a carrier that both ends have given up is like none.
func (m model) normal() model {
	for i := range m.carriers {
		c := &m.carriers[i]
		if c.lostUp && c.lostDown {
			*c = wireOf{lostUp: true, lostDown: true}
		}
		if c.lostDown {
			c.up = [modelFlight]packet{}
		}
		if c.lostUp {
			c.down = [modelFlight]packet{}
		}
	}
	return m
}

// TestModel looks at every state: no byte is lost, doubled or out of order, no bound is broken, and from each state there is a way to the end.
func TestModel(t *testing.T) {
	start := model{sender: -1, receiver: -1}
	seen := map[model]int32{start: 0}
	queue := []model{start}
	var before [][]int32 // of each state, those that lead to it
	before = append(before, nil)
	for i := 0; i < len(queue); i++ {
		queue[i].check(t)
		for _, next := range queue[i].steps(t) {
			next = next.normal()
			number, known := seen[next]
			if !known {
				number = int32(len(queue))
				seen[next] = number
				queue = append(queue, next)
				before = append(before, nil)
			}
			before[number] = append(before[number], int32(i))
		}
	}
	// Backwards from the states in which all is received and acknowledged, or no carrier is left to be made: whatever cannot get there is stuck.
	finished := make([]bool, len(queue))
	var reached []int32
	ends := 0
	for i, m := range queue {
		done := m.received == modelBytes && m.acked == modelBytes
		if done {
			ends++
		}
		if done || m.made == modelCarriers && m.sender < 0 {
			finished[i] = true
			reached = append(reached, int32(i))
		}
	}
	for len(reached) > 0 {
		i := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		for _, j := range before[i] {
			if !finished[j] {
				finished[j] = true
				reached = append(reached, j)
			}
		}
	}
	for i, ok := range finished {
		if !ok {
			t.Fatalf("stuck: %+v", queue[i])
		}
	}
	if ends == 0 {
		t.Fatal("nothing ever arrives")
	}
	t.Logf("%d states, %d of them with every byte received and acknowledged", len(queue), ends)
}
