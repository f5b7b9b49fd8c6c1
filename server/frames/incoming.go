package frames

import (
	"io"
	"sync"

	"github.com/sockmux/sockmux/shared/budget"
)

// Buffers of what has come and was not taken. While the messages are short, the small one is
// enough; a message that is longer, or that comes in pieces, is put together in memory of its own
// if the large one is too short.
const (
	smallBuffer = 4 << 10
	largeBuffer = 64<<10 + maxHeadSize
)

var largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}

// incoming is what comes from a client, frame by frame. It is for one goroutine at a time.
type incoming struct {
	from    io.Reader
	longest int // bytes that are kept of a message
	memory  *budget.Account
	heard   func() // called when something has come
	closed  bool

	small [smallBuffer]byte
	large *[largeBuffer]byte // nil: the small one is used
	at    int                // what was not taken is at buffer()[at:end]
	end   int
	last  int // length of the last message that was in a buffer

	inside bool   // a message has begun and not ended
	long   []byte // its beginning; nil: it is in the buffer
	cut    bool   // of which the rest was dropped
	held   int    // bytes that memory holds
}

func (in *incoming) start(from io.Reader, ahead []byte) {
	in.from, in.heard = from, func() {}
	in.end = copy(in.small[:], ahead) // no more than net/http's own buffer has
}

func (in *incoming) admit(longest int, memory *budget.Account, heard func()) {
	in.longest, in.memory, in.heard = longest, memory, heard
}

func (in *incoming) buffer() []byte {
	if in.large != nil {
		return in.large[:]
	}
	return in.small[:]
}

// hold accounts for the memory of the large buffer and of long, with extra bytes.
func (in *incoming) hold(extra int) {
	now := cap(in.long) + extra
	if in.large != nil {
		now += largeBuffer
	}
	in.memory.Hold(now - in.held)
	in.held = now
}

// next is called before the next message: the last one is not needed any more.
func (in *incoming) next() {
	if in.at == in.end {
		in.at, in.end = 0, 0
		if in.large != nil && in.last <= smallBuffer {
			largeBuffers.Put(in.large)
			in.large = nil
		}
	}
	if !in.inside {
		in.long, in.cut = nil, false
	}
	in.hold(0)
}

// close gives the memory back.
func (in *incoming) close() {
	if in.closed {
		return
	}
	in.closed = true
	if in.large != nil {
		largeBuffers.Put(in.large)
		in.large = nil
	}
	in.long, in.at, in.end = nil, 0, 0
	in.hold(0)
}

// need reads until n bytes are there, which fit into the large buffer.
func (in *incoming) need(n int) error {
	if in.end-in.at >= n {
		return nil
	}
	switch {
	case n > len(in.buffer()):
		in.enlarge()
	case in.at+n > len(in.buffer()):
		in.at, in.end = 0, copy(in.buffer(), in.buffer()[in.at:in.end])
	}
	for in.end-in.at < n {
		m, err := in.from.Read(in.buffer()[in.end:])
		if m > 0 {
			in.end += m
			in.heard()
		}
		if err != nil && in.end-in.at < n {
			return err
		}
	}
	return nil
}

// enlarge goes on to the large buffer.
func (in *incoming) enlarge() {
	if in.large != nil {
		return
	}
	large := largeBuffers.Get().(*[largeBuffer]byte)
	in.at, in.end = 0, copy(large[:], in.small[in.at:in.end])
	in.large = large
	in.hold(0)
}

// take returns n bytes that are there.
func (in *incoming) take(n int) []byte {
	b := in.buffer()[in.at : in.at+n]
	in.at += n
	return b
}

// head reads the head of a frame.
func (in *incoming) head() (head, error) {
	if err := in.need(2); err != nil {
		return head{}, err
	}
	h, size, err := headOf(in.buffer()[in.at:], true)
	if err != nil {
		return head{}, err
	}
	if err := in.need(size); err != nil {
		return head{}, err
	}
	if err := h.extend(in.take(size)); err != nil {
		return head{}, err
	}
	switch {
	case h.op.control():
	case h.op == opContinuation && !in.inside:
		return head{}, &ProtocolError{"a continuation frame without a message"}
	case h.op != opContinuation && in.inside:
		return head{}, &ProtocolError{"a message inside another"}
	}
	return h, nil
}

// payload reads what a frame carries, which fits into the large buffer.
func (in *incoming) payload(h head) ([]byte, error) {
	if err := in.need(int(h.length)); err != nil {
		return nil, err
	}
	b := in.take(int(h.length))
	mask(b, b, h.key)
	return b, nil
}

// data reads a frame of a message. whole says that it is the last: message is the beginning of the
// message then, and cut says that there was more.
func (in *incoming) data(h head) (message []byte, cut, whole bool, err error) {
	if !in.inside && h.final && h.length <= largeBuffer {
		in.last = int(h.length)
		message, err = in.payload(h)
		keep := min(len(message), in.longest)
		return message[:keep], keep < len(message), true, err
	}
	in.inside = true
	if err := in.append(h); err != nil {
		return nil, false, false, err
	}
	if !h.final {
		return nil, false, false, nil
	}
	in.inside = false
	in.last = 0
	return in.long, in.cut, true, nil
}

// append adds what a frame carries to a long message.
func (in *incoming) append(h head) error {
	position := 0 // in the key
	return in.pieces(h, func(b []byte) {
		kept := in.keep(b)
		mask(kept, kept, rotated(h.key, position))
		position += len(kept)
	})
}

// skip reads what a frame carries and drops it.
func (in *incoming) skip(h head) error {
	in.inside = !h.final
	return in.pieces(h, func([]byte) {})
}

// pieces reads what a frame carries, as it comes.
func (in *incoming) pieces(h head, each func(b []byte)) error {
	if h.length > smallBuffer {
		in.enlarge()
	}
	for left := h.length; left > 0; {
		if in.at == in.end {
			in.at, in.end = 0, 0
		}
		if err := in.need(1); err != nil {
			return err
		}
		b := in.take(int(min(left, uint64(in.end-in.at))))
		left -= uint64(len(b))
		each(b)
	}
	return nil
}

// keep adds bytes to a long message, and returns where they are there. It drops those that there is
// no memory for.
func (in *incoming) keep(b []byte) []byte {
	for !in.cut && len(in.long)+len(b) > cap(in.long) && cap(in.long) < in.longest {
		size := min(max(4*cap(in.long), largeBuffer), in.longest)
		if in.hold(size); cap(in.long) > 0 && in.memory.Over() { // as much as the large buffer is always there
			in.hold(0)
			break
		}
		in.long = append(make([]byte, 0, size), in.long...)
		in.hold(0)
	}
	n := min(len(b), cap(in.long)-len(in.long))
	if in.cut = in.cut || n < len(b); in.cut && n == 0 {
		return nil
	}
	in.long = append(in.long, b[:n]...)
	return in.long[len(in.long)-n:]
}

// rotated returns a key for bytes that stand at a position behind its first.
func rotated(key [maskSize]byte, position int) (turned [maskSize]byte) {
	for i := range turned {
		turned[i] = key[(position+i)%maskSize]
	}
	return turned
}
