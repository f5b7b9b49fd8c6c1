package link

import (
	"slices"
	"sync"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/congestion"
	"github.com/sockmux/sockmux/shared/wire"
)

// segmentHead is what a segment has before its payload: room for an ACK, and the header of DATA.
const segmentHead = wire.AckSize + wire.DataHeader

// segment is one DATA message that is being filled, was sent, or both. It holds its own header,
// so sending copies nothing.
type segment struct {
	offset  uint64
	bytes   []byte // head and payload
	bare    bool   // no header: what is sent behind the segment before it is all payload
	sealed  bool   // was sent once: takes no more bytes
	sending bool   // is being sent
	done    bool   // is acknowledged: goes back to its pool when it is no longer being sent
	mark    congestion.Mark
}

func (p *segment) payload() []byte {
	if p.bare {
		return p.bytes
	}
	return p.bytes[segmentHead:]
}

func (p *segment) end() uint64 { return p.offset + uint64(len(p.payload())) }

// sizes of a segment's memory: few, so that pools serve them, and in steps of two from 16 KiB on,
// so that the memory of a busy link is not three quarters air. Small ones are first, because most
// messages of an idle session are small.
var sizes = [...]int{1 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10}

// MaxSegment is the most payload that one DATA message carries on the fastest path. Each
// message costs a page some 140 us beside its bytes: of the processor's time for a
// gigabyte 32 KiB would take twice as much, 256 KiB a sixth more; 1 MiB is hardly better.
const MaxSegment = 512<<10 - segmentHead

var pools [len(sizes)]sync.Pool

func class(n int) int {
	for i, size := range sizes {
		if n <= size {
			return i
		}
	}
	return len(sizes) - 1
}

func take(i int) []byte {
	if b, ok := pools[i].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, sizes[i])
}

func give(b []byte) {
	for i, size := range sizes {
		if cap(b) == size {
			pools[i].Put(&b)
		}
	}
}

// outbox holds the bytes that the other end has not acknowledged, as segments without a gap.
type outbox struct {
	memory   *budget.Account // of the segments
	limit    int             // payload of a message; what was gathered before it fell may be longer
	most     int             // payload of a message on the path as it is at present, up to limit
	passed   int             // payload of the longest message that was acknowledged
	segments []*segment
	acked    uint64 // all before it is acknowledged
	next     uint64 // all before it was sent over the present carrier
	end      uint64 // all before it was written
}

// take returns memory of a class.
func (o *outbox) take(i int) []byte {
	o.memory.Hold(sizes[i])
	return take(i)
}

// give gives memory of take back.
func (o *outbox) give(b []byte) {
	o.memory.Hold(-cap(b))
	give(b)
}

func (o *outbox) held() int     { return int(o.end - o.acked) }
func (o *outbox) inFlight() int { return int(o.next - o.acked) }
func (o *outbox) unsent() int   { return int(o.end - o.next) }

// add appends bytes to the last segment that may grow, or to new ones.
func (o *outbox) add(b []byte) {
	for len(b) > 0 {
		n := copy(o.room(1, len(b)), b)
		o.filled(n)
		b = b[n:]
	}
}

// room returns memory behind the last byte, least to most bytes of it as far as a message
// takes so many. filled tells how many have come, before anything else is called.
func (o *outbox) room(least, most int) []byte {
	full := segmentHead + o.most
	var p *segment
	if n := len(o.segments); n > 0 && !o.segments[n-1].sealed && !o.segments[n-1].bare && full-len(o.segments[n-1].bytes) >= least {
		p = o.segments[n-1]
	} else {
		full = max(full, segmentHead+least)
		b := o.take(class(min(full, segmentHead+most)))
		p = &segment{offset: o.end, bytes: wire.AppendDataHeader(b[:wire.AckSize], o.end)}
		o.segments = append(o.segments, p)
	}
	have := len(p.bytes)
	need := min(full, have+most)
	if need > cap(p.bytes) {
		larger := append(o.take(class(need)), p.bytes...)
		o.give(p.bytes)
		p.bytes = larger
	}
	return p.bytes[have:need]
}

// filled adds n bytes that were put where room said.
func (o *outbox) filled(n int) {
	p := o.segments[len(o.segments)-1]
	p.bytes = p.bytes[:len(p.bytes)+n]
	o.end += uint64(n)
}

// addBare appends bytes that are to travel as a bare message behind what was added
// before. They are the outbox's from now on, and were taken from its pools.
func (o *outbox) addBare(b []byte) {
	o.segments = append(o.segments, &segment{offset: o.end, bytes: b, bare: true})
	o.end += uint64(len(b))
}

// checkout returns the next message to send and its segment, which the caller gives back with
// release. An ack that is not nil becomes a part of the message. behind is not nil where a bare
// message must follow at once: another segment, to be given back in the same way. There must be
// something unsent.
func (o *outbox) checkout(ack *wire.Ack) (message []byte, p, behind *segment) {
	i := len(o.segments) - 1
	for o.segments[i].offset > o.next {
		i--
	}
	p = o.segments[i]
	p.sealed, p.sending = true, true
	payload := p.payload()
	if skip := int(o.next - p.offset); skip > 0 || len(payload) > o.limit || p.bare { // a resend of a part, or without what was before it: rare, so it may copy
		payload = payload[skip:min(len(payload), skip+o.limit)]
		message = wire.Data{Offset: o.next, Payload: payload, Ack: ack}.Append(make([]byte, 0, segmentHead+len(payload)))
		o.next += uint64(len(payload))
		return message, p, nil
	}
	o.next += uint64(len(payload))
	head := p.bytes[wire.AckSize:]
	head[0] = byte(wire.TypeData)
	if i+1 < len(o.segments) && o.segments[i+1].bare && len(o.segments[i+1].bytes) <= o.limit {
		head[0] = byte(wire.TypeFore)
		behind = o.segments[i+1]
		behind.sealed, behind.sending = true, true
		o.next += uint64(len(behind.bytes))
	}
	if ack == nil {
		return head, p, behind
	}
	wire.AppendJoined(p.bytes[:0], *ack)
	return p.bytes, p, behind
}

func (o *outbox) release(p *segment) {
	p.sending = false
	if p.done {
		o.give(p.bytes)
	}
}

// acknowledge frees what lies before received. It returns how many bytes that are, and
// the mark of the last message among them, which is nil where no message was acknowledged
// whole; ok is false if the bytes were never sent.
func (o *outbox) acknowledge(received uint64) (freed int, mark *congestion.Mark, ok bool) {
	if received > o.next {
		return 0, nil, false
	}
	if received <= o.acked {
		return 0, nil, true
	}
	freed = int(received - o.acked)
	o.acked = received
	n := 0
	for n < len(o.segments) && o.segments[n].end() <= received && o.segments[n].sealed {
		p := o.segments[n]
		mark = &p.mark
		o.passed = max(o.passed, min(len(p.payload()), o.limit))
		p.done = true
		if !p.sending {
			o.give(p.bytes)
		}
		n++
	}
	o.segments = slices.Delete(o.segments, 0, n)
	if len(o.segments) == 0 {
		o.segments = nil
	}
	return freed, mark, true
}

// longestInFlight is the payload of the longest message that was sent and not acknowledged.
func (o *outbox) longestInFlight() int {
	longest := 0
	for _, p := range o.segments {
		if p.sealed && p.offset < o.next {
			longest = max(longest, min(len(p.payload()), o.limit))
		}
	}
	return longest
}

// rewind makes everything from received on unsent again, for a new carrier.
func (o *outbox) rewind(received uint64) { o.next = received }
