package link_test

import "fmt"

// A model of a session: two ends, the bytes that each sends to the other, and the
// carriers between them. It has what docs/PROTOCOL.md, sections 3.2 to 3.4, 3.6 and 8,
// demand of an implementation and nothing of this one: offsets, acknowledgements, the
// resume with both offsets, take-over by the newest carrier, carriers that lose any tail
// of what is under way (each direction on its own, each end learning of it in its own
// time), the close by either end, and the grace period of either end.
//
// explore_test.go looks at every state that the model can reach; conform_test.go walks
// through it with two real links.

// kinds of a message of the model.
const (
	none    = iota
	hello   // to: what the client has received; the first one opens the session
	welcome // to: what the server has received
	data    // bytes from..to
	ack     // to: what was received
	bye     // CLOSE ok; to: all that was written before it
	refusal // CLOSE unknown_session, or another code that says that the session is gone
	busy    // CLOSE with any other code, in place of the welcome: it concerns the carrier alone
)

type packet struct{ kind, from, to uint8 }

// flightMost is how many messages a direction of a carrier holds at most.
const flightMost = 2

type queue [flightMost]packet

func (q *queue) push(p packet, most int) bool {
	for i := range most {
		if q[i].kind == none {
			q[i] = p
			return true
		}
	}
	return false
}

func (q *queue) pop() packet {
	p := q[0]
	copy(q[:], q[1:])
	q[flightMost-1] = packet{}
	return p
}

func (q *queue) length() int {
	n := 0
	for n < flightMost && q[n].kind != none {
		n++
	}
	return n
}

func (q *queue) truncate(keep int) { clear(q[min(keep, flightMost):]) }

// The ends.
const (
	client = 0
	server = 1
)

// phases of an end.
const (
	unborn  = iota // the server before the first hello
	open           // it may write
	closing        // it writes no more, and says so behind its last byte
	over           // it has said so: it needs nothing from the other end
	told           // the other end has said so
	failed         // it has given up: its streams end with an error
)

// party is one end.
type party struct {
	phase                uint8
	written, next, acked uint8 // of its own bytes: in all, the next one to send, those that the other end has for certain
	received             uint8 // of the other's
	due                  bool  // something was received and not acknowledged
	on                   int8  // its carrier; -1: none
}

func (p *party) lives() bool { return p.phase == open || p.phase == closing }

// line is a carrier.
type line struct {
	way     [2]queue // what each end has sent over it
	lost    [2]bool  // the end neither sends nor takes any more
	first   bool     // it opens the session: the client sends at once
	greeted bool     // the client has had the welcome
}

// carriersMost is how many carriers there are at most.
const carriersMost = 4

// bounds of an exploration or a walk.
type bounds struct {
	bytes    [2]uint8 // that each end writes in all
	kept     uint8    // that are kept unacknowledged
	carriers int8     // in all
	flight   int      // messages under way in one direction of a carrier
	ends     bool     // ends may close, and may give up after the grace period while the other has not
}

// model is one state. It is comparable, so that a map knows which were seen.
type model struct {
	ends  [2]party
	lines [carriersMost]line // from the oldest that either end still has
	gone  int8               // carriers that are forgotten
	made  int8               // all that were made
	known bool               // the client has had the first welcome: the session can be resumed
}

func newModel() model {
	return model{ends: [2]party{{phase: open, on: -1}, {phase: unborn, on: -1}}}
}

// violation is a broken promise. The rules panic with it: none of their callers has
// another way out.
type violation string

func (m *model) violated(format string, args ...any) {
	panic(violation(fmt.Sprintf(format, args...) + fmt.Sprintf(": %+v", *m)))
}

// write: the layer above writes a byte; the bound holds it back.
func (m *model) write(e int, b bounds) bool {
	p := &m.ends[e]
	if p.phase != open || p.written == b.bytes[e] || p.written-p.acked == b.kept {
		return false
	}
	p.written++
	return true
}

// dial: the client has no carrier and makes one. The server may not know yet that its own is lost.
func (m *model) dial(b bounds) bool {
	p := &m.ends[client]
	if p.on >= 0 || !p.lives() || m.made == b.carriers {
		return false
	}
	p.on = m.made - m.gone
	m.lines[p.on] = line{first: m.made == 0}
	m.made++
	p.due = false // the hello says it
	return m.lines[p.on].way[client].push(packet{kind: hello, to: p.received}, b.flight)
}

// speaks reports whether an end may send: the client of a resumed session not before the welcome.
func (m *model) speaks(e int) bool {
	p := &m.ends[e]
	return p.on >= 0 && p.lives() && (e == server || m.lines[p.on].first || m.lines[p.on].greeted)
}

// send sends the next n bytes.
func (m *model) send(e int, n uint8, b bounds) bool {
	p := &m.ends[e]
	if !m.speaks(e) || p.written-p.next < n || !m.lines[p.on].way[e].push(packet{data, p.next, p.next + n}, b.flight) {
		return false
	}
	p.next += n
	return true
}

// acknowledge says how much has been received.
func (m *model) acknowledge(e int, b bounds) bool {
	p := &m.ends[e]
	if !m.speaks(e) || !p.due || !m.lines[p.on].way[e].push(packet{kind: ack, to: p.received}, b.flight) {
		return false
	}
	p.due = false
	return true
}

// shut: the layer above closes the session.
func (m *model) shut(e int) bool {
	if m.ends[e].phase != open {
		return false
	}
	m.ends[e].phase = closing
	return true
}

// part says so to the other end, behind the last byte.
func (m *model) part(e int, b bounds) bool {
	p := &m.ends[e]
	if p.phase != closing || p.next != p.written || !m.speaks(e) || !m.lines[p.on].way[e].push(packet{kind: bye, to: p.written}, b.flight) {
		return false
	}
	p.phase = over
	m.leave(e)
	return true
}

// leave: an end needs its carrier no more, and what it has sent still arrives.
func (m *model) leave(e int) {
	p := &m.ends[e]
	if p.on >= 0 {
		m.lines[p.on].lost[e] = true
		p.on = -1
	}
}

// turnAway: the server gives a carrier up in place of answering the hello of a resume, with a
// CLOSE (a limit, a failure of its own) or without one (the hello is late). The session stays.
func (m *model) turnAway(i int8, says bool, b bounds) bool {
	if m.arriving(server, i).kind != hello || m.lines[i].first {
		return false
	}
	l := &m.lines[i]
	l.way[client].pop()
	if says {
		l.way[server].push(packet{kind: busy}, b.flight)
	}
	l.lost[server] = true
	return true
}

// expire: the grace period is over. The client's ends behind the server's: it counts from the
// latest moment at which the server can have noticed the loss.
func (m *model) expire(e int, b bounds) bool {
	p, other := &m.ends[e], &m.ends[1-e]
	if !b.ends && (other.lives() || other.phase == unborn) {
		return false
	}
	if !p.lives() || p.on >= 0 || e == client && (!m.known || other.lives()) {
		return false
	}
	p.phase = failed
	return true
}

// lose: an end learns that a carrier is lost, and keep of the messages that it sent last
// over it still arrive.
func (m *model) lose(e int, i int8, keep int) bool {
	l := &m.lines[i]
	if i >= m.made-m.gone || l.lost[e] {
		return false
	}
	l.lost[e] = true
	l.way[e].truncate(keep)
	l.way[1-e] = queue{}
	if p := &m.ends[e]; p.on == i {
		p.on = -1
		if e == client && !m.known {
			p.phase = failed // whether the server has acted cannot be known
		}
	}
	return true
}

// arriving is the next message to an end over a carrier; its kind is none where there is none.
func (m *model) arriving(e int, i int8) packet {
	if i >= m.made-m.gone || m.lines[i].lost[e] {
		return packet{}
	}
	return m.lines[i].way[1-e][0]
}

// deliver: it arrives.
func (m *model) deliver(e int, i int8, b bounds) bool {
	if m.arriving(e, i).kind == none {
		return false
	}
	l, p, other := &m.lines[i], &m.ends[e], &m.ends[1-e]
	got := l.way[1-e].pop()
	if got.kind == hello {
		m.greet(i, got.to, b)
		return true
	}
	if p.on != i {
		m.violated("end %d takes message %+v over carrier %d", e, got, i)
	}
	switch got.kind {
	case welcome:
		l.greeted, m.known = true, true
		if !l.first {
			m.resume(e, got.to)
		}
	case data:
		if got.from > p.received {
			m.violated("a gap before message %+v", got)
		}
		if got.to > p.received { // given to the layer above: once and in order, for it is the number that it must be
			p.received, p.due = got.to, true
		}
	case ack:
		if got.to > p.next {
			m.violated("acknowledgement %+v of what was not sent", got)
		}
		p.acked = max(p.acked, got.to)
	case bye:
		if p.received != got.to || got.to != other.written {
			m.violated("the session's end %+v came before its last byte", got)
		}
		p.phase = told
		m.leave(e)
	case refusal:
		p.phase = failed
		m.leave(e)
	case busy:
		m.leave(e) // and dials again
	}
	return true
}

// resume begins a run at what the other end has received.
func (m *model) resume(e int, received uint8) {
	p := &m.ends[e]
	if received < p.acked || received > p.written {
		m.violated("end %d is to resume at %d", e, received)
	}
	p.acked, p.next = received, received
}

// greet is what the server does with a hello.
func (m *model) greet(i int8, received uint8, b bounds) {
	p, l := &m.ends[server], &m.lines[i]
	if l.first {
		p.phase, p.on = open, i
		l.way[server].push(packet{kind: welcome}, b.flight)
		return
	}
	if !p.lives() {
		l.way[server].push(packet{kind: refusal}, b.flight)
		l.lost[server] = true
		return
	}
	if p.on >= 0 { // take-over: at this end the older carrier has ended
		m.lose(server, p.on, 0)
	}
	if received < p.acked || received > p.written { // it is older than one that came after it
		m.lose(server, i, 0)
		return
	}
	m.resume(server, received)
	p.on, p.due = i, false // the welcome says it
	l.way[server].push(packet{kind: welcome, to: p.received}, b.flight)
}

// check is what holds in every state.
func (m *model) check(b bounds) {
	for e := range m.ends {
		p, other := &m.ends[e], &m.ends[1-e]
		switch {
		case p.acked > other.received:
			m.violated("byte %d of end %d was given up before it was received", other.received, e)
		case other.received > p.written:
			m.violated("more was received than end %d wrote", e)
		case p.written-p.acked > b.kept:
			m.violated("end %d keeps %d bytes", e, p.written-p.acked)
		case p.next < p.acked || p.next > p.written:
			m.violated("the next byte of end %d is %d", e, p.next)
		case p.phase == told && p.received != other.written:
			m.violated("end %d was told of the end and has not all", e)
		case e == client && p.phase == failed && m.known && other.lives():
			m.violated("the client has given the session up, and the server has it")
		}
	}
}

// settled reports whether nothing is left to be done: every byte both ways is received
// and acknowledged, or the session has ended at both ends.
func (m *model) settled(b bounds) bool {
	done, ended := true, true
	for e := range m.ends {
		p := &m.ends[e]
		done = done && p.acked == b.bytes[e]
		ended = ended && !p.lives()
	}
	return done || ended
}

// normal makes equal what behaves equally: a carrier that both ends have given up is like
// none, and so is what lies in a direction that is not taken.
func (m model) normal() model {
	kept := int8(0)
	for i := range m.made - m.gone {
		l := m.lines[i]
		for e := range m.ends {
			if l.lost[e] {
				l.way[1-e] = queue{}
			}
			if m.ends[e].on == i {
				m.ends[e].on = kept
			}
		}
		if l.lost[client] && l.lost[server] {
			m.gone++
			continue
		}
		m.lines[kept] = l
		kept++
	}
	clear(m.lines[kept:])
	for e := range m.ends {
		if p := &m.ends[e]; !p.lives() { // what it was about to do
			p.due, p.next = false, p.acked
		}
	}
	return m
}
