package posix

import (
	"errors"
	"io"
	"sync"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// maxData is the most data that one send takes. A program that sends more is told how much
// was taken, as by a socket whose buffer is full.
const maxData = 1 << 20

// Buffers that messages are read into. The first is the bridge's own. It is enough for all calls
// but those with data.
const (
	firstRead  = 512
	secondRead = 64 << 10
)

// leastLent is how long a message must be to stay in its buffer of the pool until its call has
// ended. A shorter one is copied, so that calls that wait hold little more than their data.
const leastLent = 16 << 10

// second are the buffers of longer messages, and of results. A longer message still gets memory of
// its own.
var second = sync.Pool{New: func() any { return new([secondRead]byte) }}

// read reads a message, of which it keeps what a call needs. cut says that there was more.
// Where the memory of all sessions is scarce, it keeps secondRead at most: a send takes a part.
// One goroutine calls it. The message is the caller's until freeLent, if lent is set behind it.
func (b *bridge) read(r io.Reader) (message []byte, cut bool, err error) {
	held := 0
	hold := func(n int) {
		b.in.Hold(n - held)
		held = n
	}
	defer func() { hold(0) }() // a call that waits counts its data
	var pooled *[secondRead]byte
	defer func() {
		if pooled != nil {
			second.Put(pooled)
		}
	}()
	// own returns a message that stays as it is when the next is read.
	own := func(buffer []byte) []byte {
		switch {
		case cap(buffer) > secondRead:
			return buffer
		case len(buffer) < leastLent:
			return append([]byte(nil), buffer...)
		}
		b.lent, pooled = pooled, nil
		return buffer
	}
	for buffer := b.first[:0]; ; {
		if len(buffer) == cap(buffer) {
			next := b.longer(buffer, &pooled, hold)
			if next == nil {
				n, err := io.Copy(io.Discard, r)
				return own(buffer), n > 0, err
			}
			buffer = append(next, buffer...)
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return nil, false, err
		default:
			return own(buffer), false, nil
		}
	}
}

// longer returns the memory for a message that has filled a buffer, and holds it; nil: the rest of
// the message is not kept.
func (b *bridge) longer(buffer []byte, pooled **[secondRead]byte, hold func(n int)) []byte {
	switch {
	case len(buffer) >= calls.MaxHead+maxData:
		return nil
	case *pooled == nil:
		hold(secondRead)
		*pooled = second.Get().(*[secondRead]byte)
		return (*pooled)[:0]
	}
	size := min(4*cap(buffer), calls.MaxHead+maxData)
	hold(size)
	if b.in.Over() {
		hold(cap(buffer))
		return nil
	}
	return make([]byte, 0, size)
}

// borrow returns the buffer that the message of a call is in, for the goroutine of the call to give
// back, and how many bytes the call holds; nil: its message has memory of its own.
func (b *bridge) borrow(call calls.Call) (lent *[secondRead]byte, n int) {
	lent, b.lent = b.lent, nil
	if lent != nil {
		return lent, secondRead
	}
	return nil, len(call.Data)
}

// freeLent gives back the buffer of a message whose call has not borrowed it.
func (b *bridge) freeLent() {
	giveBack(b.lent)
	b.lent = nil
}

func giveBack(lent *[secondRead]byte) {
	if lent != nil {
		second.Put(lent)
	}
}
