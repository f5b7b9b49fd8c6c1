// Package linktest joins two links in memory, for tests: carriers that can be cut,
// blackholed and cut short at any message.
package linktest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sockmux/sockmux/shared/buffer"
)

// ErrCut is what a carrier returns after Cut.
var ErrCut = errors.New("cut")

// queue is how many messages a direction holds before Send waits: like a socket's buffer, small.
const queue = 16

// Carrier is one end of a Pipe. It implements link.Carrier.
type Carrier struct {
	pipe *pipe
	in   <-chan []byte
	out  chan<- []byte
	gone chan struct{} // closed by Close of the other end
	mine chan struct{} // closed by Close of this end
	once *sync.Once

	// Closed holds the code and the reason of this end's Close, once Done is closed.
	Code   int
	Reason string
	done   chan struct{}
}

type pipe struct {
	once sync.Once
	cut  chan struct{}
	mu   sync.Mutex
	hole bool
	left int // messages that still pass; -1: no limit
}

// Pipe returns the two ends of a carrier.
func Pipe() (a, b *Carrier) {
	p := &pipe{cut: make(chan struct{}), left: -1}
	ab, ba := make(chan []byte, queue), make(chan []byte, queue)
	aGone, bGone := make(chan struct{}), make(chan struct{})
	a = &Carrier{pipe: p, in: ba, out: ab, gone: bGone, mine: aGone, once: new(sync.Once), done: make(chan struct{})}
	b = &Carrier{pipe: p, in: ab, out: ba, gone: aGone, mine: bGone, once: new(sync.Once), done: make(chan struct{})}
	return a, b
}

// Cut ends both ends at once; messages under way are lost.
func (c *Carrier) Cut() { c.pipe.once.Do(func() { close(c.pipe.cut) }) }

// CutAfter cuts when n more messages have been sent by either end.
func (c *Carrier) CutAfter(n int) {
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	c.pipe.left = n
}

// Blackhole swallows every message from now on without a sign to either end.
func (c *Carrier) Blackhole() {
	c.pipe.mu.Lock()
	defer c.pipe.mu.Unlock()
	c.pipe.hole = true
}

// Send implements link.Carrier.
func (c *Carrier) Send(ctx context.Context, message []byte) error {
	c.pipe.mu.Lock()
	hole := c.pipe.hole
	if c.pipe.left == 0 {
		c.pipe.mu.Unlock()
		c.Cut()
		return ErrCut
	}
	if c.pipe.left > 0 {
		c.pipe.left--
	}
	c.pipe.mu.Unlock()
	select { // a cut wins over room in the queue
	case <-c.pipe.cut:
		return ErrCut
	default:
	}
	if hole {
		return nil
	}
	select {
	case c.out <- append([]byte(nil), message...):
		return nil
	case <-c.pipe.cut:
		return ErrCut
	case <-c.gone:
		return errors.New("closed by the other end")
	case <-c.mine:
		return errors.New("closed")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Receive implements link.Carrier.
func (c *Carrier) Receive(ctx context.Context) ([]byte, error) {
	select {
	case <-c.pipe.cut:
		return nil, ErrCut
	default:
	}
	select {
	case m := <-c.in:
		return m, nil
	case <-c.pipe.cut:
		return nil, ErrCut
	case <-c.mine:
		return nil, errors.New("closed")
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.gone:
		select { // what was sent before the close comes first
		case m := <-c.in:
			return m, nil
		default:
			return nil, fmt.Errorf("closed by the other end")
		}
	}
}

// ReceiveBody implements link.Carrier.
func (c *Carrier) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := c.Receive(ctx)
	return buffer.Bytes(m), err
}

// Close implements link.Carrier.
func (c *Carrier) Close(code int, reason string) error {
	if code == 0 {
		c.Cut()
	}
	c.once.Do(func() {
		c.Code, c.Reason = code, reason
		close(c.done)
		close(c.mine)
	})
	return nil
}

// Done is closed when this end has been closed; Code and Reason may be read then.
func (c *Carrier) Done() <-chan struct{} { return c.done }
