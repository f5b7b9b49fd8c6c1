package streams

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/flow"
	"github.com/sockmux/sockmux/wasm/https/message"
)

// grantStep is how many bytes are read before the target may send as many more.
const grantStep = message.Window / 8

// Conn is a stream of the page as a net.Conn.
type Conn struct {
	set     *Set
	id      uint32
	address address
	in      *flow.Queue
	out     *flow.Credit
	granted int // bytes read that were not granted again; the reader's

	mu      sync.Mutex
	opened  chan struct{}
	ended   chan struct{}
	why     error
	closed  bool // by this end
	written bool // CloseWrite was called
}

var _ net.Conn = (*Conn)(nil)

func newConn(s *Set, id uint32, to string) *Conn {
	c := &Conn{
		set: s, id: id, address: address(to), out: flow.NewCredit(message.Ahead),
		opened: make(chan struct{}), ended: make(chan struct{}),
	}
	c.in = flow.NewQueue(s.pool, c.taken)
	return c
}

func (c *Conn) taken(n int) {
	if c.granted += n; c.granted >= grantStep {
		c.set.page.Tell(message.StreamGrant, c.id, uint32(c.granted), nil)
		c.granted = 0
	}
}

func (c *Conn) open() {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.opened:
	default:
		close(c.opened)
	}
}

func (c *Conn) eof() { c.in.End(io.EOF) }

// end is the end of the stream: what has come is still read.
func (c *Conn) end(code wire.Code, text string) {
	err := error(&Error{code, text})
	if code == wire.OK {
		err = io.EOF
	}
	c.mu.Lock()
	c.why = err
	c.mu.Unlock()
	c.in.End(err)
	if err == io.EOF {
		err = &Error{wire.Aborted, "the connection has ended"}
	}
	c.out.Fail(err)
	close(c.ended)
}

func (c *Conn) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == io.EOF {
		return &Error{wire.Aborted, "the connection ended before it was open"}
	}
	return c.why
}

func (c *Conn) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := c.out.Take(len(p) - done)
		if err != nil {
			return done, err
		}
		c.set.page.Tell(message.Write, c.id, 0, p[done:done+n])
		done += n
	}
	return done, nil
}

// CloseWrite ends this direction behind what was written.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	if !c.written {
		c.written = true
		c.set.page.Tell(message.CloseWrite, c.id, 0, nil)
	}
	return nil
}

// Close ends the stream: what was written is delivered, what was not read is dropped.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.closed = true
	c.in.Fail(net.ErrClosed)
	c.out.Fail(net.ErrClosed)
	c.set.page.Tell(message.Close, c.id, 0, nil)
	return nil
}

func (c *Conn) LocalAddr() net.Addr { return address("") }

func (c *Conn) RemoteAddr() net.Addr { return c.address }

func (c *Conn) SetDeadline(t time.Time) error {
	c.in.SetDeadline(t)
	c.out.SetDeadline(t)
	return nil
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.SetDeadline(t)
	return nil
}

func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.SetDeadline(t)
	return nil
}

// address is host:port.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
