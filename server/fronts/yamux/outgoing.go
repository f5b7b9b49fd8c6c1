package yamux

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

const (
	// messageSize is how many bytes go into one message at most. What is written while
	// one is being sent gathers in the next.
	messageSize = 64 << 10
	// frameSize is what one frame of a stream carries at most, so streams take turns
	// within a message.
	frameSize = messageSize / 2
	// laterTime is how long bytes wait for others that may wait.
	laterTime = 2 * time.Millisecond
)

// messages are the buffers of messages.
var messages = sync.Pool{New: func() any { return new([messageSize]byte) }}

// outgoing gathers what is written into messages. One goroutine writes at a time, and one
// sends. It holds two messages at most: one that gathers and one that is being sent.
type outgoing struct {
	memory *budget.Account
	work   chan struct{} // capacity 1: there is something to send

	mu       sync.Mutex
	changed  sync.Cond // there is room, or nothing is left to send, or it is over
	buffer   *[messageSize]byte
	gathered int  // bytes in the buffer
	sending  bool // a message is on its way
	midway   bool // a write has been taken in part
	later    bool // a timer is set for what may wait
	over     error
}

func newOutgoing(memory *budget.Account) *outgoing {
	o := &outgoing{memory: memory, work: make(chan struct{}, 1)}
	o.changed.L = &o.mu
	return o
}

// write takes parts that belong together. It blocks while there is no room, and fails
// only after end.
func (o *outgoing) write(urgent bool, parts ...[]byte) (n int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if 0 < size && size <= messageSize { // whole or not at all, so that a farewell can follow at the end
		if err := o.awaitLocked(size); err != nil {
			return 0, err
		}
	}
	for _, part := range parts {
		for len(part) > 0 {
			if err := o.awaitLocked(1); err != nil {
				return n, err
			}
			m := copy(o.buffer[o.gathered:], part)
			o.gathered, n, part, o.midway = o.gathered+m, n+m, part[m:], true
			if o.gathered == messageSize {
				o.wake()
			}
		}
	}
	o.midway = false
	if urgent {
		o.wake()
	} else if !o.later {
		o.later = true
		time.AfterFunc(laterTime, o.due)
	}
	return n, nil
}

// due is called when bytes have waited long enough for others.
func (o *outgoing) due() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.later = false
	o.wake()
}

// fill takes a header and least to most bytes that put makes in the buffer.
func (o *outgoing) fill(least, most int, put func(b []byte) int, header func(n int) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := len(header(0))
	if err := o.awaitLocked(size + least); err != nil {
		return err
	}
	free := o.buffer[o.gathered:]
	n := put(free[size:min(size+most, len(free))])
	if n > 0 {
		copy(free, header(n))
		o.gathered += size + n
		o.wake()
	}
	if o.gathered == 0 {
		o.releaseLocked()
	}
	return nil
}

// awaitLocked blocks until there is room for n bytes.
func (o *outgoing) awaitLocked(n int) error {
	for o.over == nil && messageSize-o.gathered < n {
		o.wake()
		o.changed.Wait()
	}
	if o.over != nil {
		return o.over
	}
	if o.buffer == nil {
		o.buffer = messages.Get().(*[messageSize]byte)
		o.memory.Hold(messageSize)
	}
	return nil
}

// wake tells the goroutine that sends that there is work.
func (o *outgoing) wake() {
	select {
	case o.work <- struct{}{}:
	default:
	}
}

// send sends what is written until end is called, or send fails. Then it returns nil or
// that error.
func (o *outgoing) send(send func(message []byte) error) error {
	for {
		<-o.work
		buffer, n, over := o.take()
		if over {
			return nil
		}
		if buffer == nil {
			continue
		}
		err := send(buffer[:n])
		o.sent(buffer)
		if err != nil {
			return err
		}
	}
}

// take takes what has gathered.
func (o *outgoing) take() (buffer *[messageSize]byte, n int, over bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over != nil {
		return nil, 0, true
	}
	buffer, n = o.buffer, o.gathered
	o.buffer, o.gathered = nil, 0
	o.sending = buffer != nil
	o.changed.Broadcast()
	return buffer, n, false
}

// sent gives a message back that was sent.
func (o *outgoing) sent(buffer *[messageSize]byte) {
	messages.Put(buffer)
	o.memory.Hold(-messageSize)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sending = false
	o.changed.Broadcast()
}

// flush blocks until everything that was written is sent, end was called, or the context
// ends, whose error it returns then.
func (o *outgoing) flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.over == nil && (o.gathered > 0 || o.sending) && ctx.Err() == nil {
		o.wake()
		o.changed.Wait()
	}
	return ctx.Err()
}

// end makes every call return. Writes fail with err from now on.
func (o *outgoing) end(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over == nil {
		o.over = err
	}
	o.wake()
	o.changed.Broadcast()
}

// rest returns what was written and not sent, and whether it ends with a whole write. It
// is called once, behind end and the return of send.
func (o *outgoing) rest() (message []byte, whole bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buffer != nil {
		message = append(message, o.buffer[:o.gathered]...)
		o.releaseLocked()
	}
	return message, !o.midway
}

// releaseLocked gives the buffer back that gathers.
func (o *outgoing) releaseLocked() {
	messages.Put(o.buffer)
	o.memory.Hold(-messageSize)
	o.buffer, o.gathered = nil, 0
}
