//go:build !js

package websocket

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// MaxFirst is the longest message before Admit, in bytes. No HELLO is as long; a thousand
// strangers that send half of one hold 16 MiB, not the 1 GiB of wire.MaxMessage.
const MaxFirst = 16 << 10

// ErrTooLong is what Receive returns for a message that is longer than the protocol allows.
// The WebSocket has been closed with 1009 then.
var ErrTooLong = wire.NewError(wire.Limit, fmt.Sprintf("a message is longer than %d bytes", wire.MaxMessage))

// errFirstTooLong is ErrTooLong before Admit.
var errFirstTooLong = wire.NewError(wire.Limit, fmt.Sprintf("the first message is longer than %d bytes", MaxFirst))

// incoming is the buffer of the message that is being received. Only the goroutine that
// receives uses it, except close.
type incoming struct {
	first    bool // before Admit of an accepted connection
	class    int
	buffer   *[]byte  // nil: none
	messages forecast // of what Receive returns
	bodies   forecast // of bare messages

	mu     sync.Mutex
	memory *budget.Account
	held   int
	closed bool
}

func (i *incoming) admit(memory *budget.Account) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.first, i.memory = false, memory
}

// release gives the buffer back.
func (i *incoming) release() {
	if i.buffer != nil {
		giveBuffer(i.class, i.buffer)
		i.buffer = nil
		i.hold(0)
	}
}

// detach gives the buffer with the last message, of n bytes, to the caller. A message that
// would waste most of its buffer moves to a smaller one: it may wait there for its reader.
func (i *incoming) detach(n int) (whole *[]byte, class int) {
	if fits := classOf(n); bufferSizes[fits] <= bufferSizes[i.class]/wasteful {
		i.take(fits, n)
	}
	whole, class = i.buffer, i.class
	i.buffer = nil
	i.hold(0)
	return whole, class
}

// take takes a buffer of that class in place of the one that there is, with its first n bytes.
func (i *incoming) take(class, n int) {
	other := takeBuffer(class)
	if i.buffer != nil {
		copy(*other, (*i.buffer)[:n])
		giveBuffer(i.class, i.buffer)
	}
	i.buffer, i.class = other, class
	i.hold(bufferSizes[class])
}

// hold accounts for a buffer of n bytes in place of the one before.
func (i *incoming) hold(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return
	}
	i.memory.Hold(n - i.held)
	i.held = n
}

// close ends the accounting. The message that was received last stays valid.
func (i *incoming) close() {
	i.hold(0)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
}

// read reads a message to its end.
func (i *incoming) read(r io.Reader, likely *forecast) ([]byte, error) {
	i.take(likely.class(), 0)
	for n := 0; ; {
		m, err := r.Read((*i.buffer)[n:])
		n += m
		if errors.Is(err, io.EOF) {
			likely.came(classOf(n))
			return (*i.buffer)[:n], nil
		}
		if err != nil {
			return nil, i.failed(err)
		}
		if n == len(*i.buffer) {
			i.take(i.class+1, n) // the read limit is below the largest
		}
	}
}

// failed makes an ErrTooLong of the WebSocket's own error.
func (i *incoming) failed(err error) error {
	switch {
	case !errors.Is(err, websocket.ErrMessageTooBig):
		return err
	case i.first:
		return errFirstTooLong
	}
	return ErrTooLong
}
