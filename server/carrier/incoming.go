package carrier

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

// beyond is how much longer than the longest message a buffer is: the library gives one byte
// beyond its limit, and the end needs room for one.
const beyond = 2

// bufferSizes are those of the buffers for messages. Most messages fit the first. The steps are
// small because a bare message keeps its buffer until its stream's reader has taken the bytes.
var bufferSizes = [...]int{
	4 << 10, MaxFirst + beyond, 64<<10 + beyond, 128<<10 + beyond, 256<<10 + beyond,
	512<<10 + beyond, wire.MaxMessage + beyond,
}

var bufferPools [len(bufferSizes)]sync.Pool

// ErrTooLong is what Receive returns for a message that is longer than the protocol allows.
// The WebSocket has been closed with 1009 then.
var ErrTooLong = wire.NewError(wire.Limit, fmt.Sprintf("a message is longer than %d bytes", wire.MaxMessage))

// errFirstTooLong is ErrTooLong before Admit.
var errFirstTooLong = wire.NewError(wire.Limit, fmt.Sprintf("the first message is longer than %d bytes", MaxFirst))

// incoming is the buffer of the message that is being received. Only the goroutine that
// receives uses it, except close.
type incoming struct {
	first  bool // before Admit of an accepted connection
	class  int
	buffer *[]byte // nil: none
	likely int     // class of the buffer that the next message needs: that of the last one

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
		bufferPools[i.class].Put(i.buffer)
		i.buffer = nil
		i.hold(0)
	}
}

// detach gives the buffer of the last message to the caller.
func (i *incoming) detach() (whole *[]byte, class int) {
	whole, class = i.buffer, i.class
	i.buffer = nil
	i.hold(0)
	return whole, class
}

// take takes a buffer of that class in place of the one that there is, with its first n bytes.
func (i *incoming) take(class, n int) {
	larger, ok := bufferPools[class].Get().(*[]byte)
	if !ok {
		made := make([]byte, bufferSizes[class])
		larger = &made
	}
	if i.buffer != nil {
		copy(*larger, (*i.buffer)[:n])
		bufferPools[i.class].Put(i.buffer)
	}
	i.buffer, i.class = larger, class
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

// classOf returns the class of the smallest buffer for a message of n bytes.
func classOf(n int) int {
	class := 0
	for bufferSizes[class] < n+beyond {
		class++
	}
	return class
}

// read reads a message to its end.
func (i *incoming) read(r io.Reader) ([]byte, error) {
	i.take(i.likely, 0)
	for n := 0; ; {
		m, err := r.Read((*i.buffer)[n:])
		n += m
		if errors.Is(err, io.EOF) {
			i.likely = classOf(n)
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
