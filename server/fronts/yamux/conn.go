package yamux

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// readSize is how many bytes are read at once: a Transport may return no less, and on a
// slow path a Read must not look like silence.
const readSize = 32 << 10

// conn is a Transport as a mux.Conn. Its owner calls run, which sends and closes.
type conn struct {
	transport Transport
	out       *outgoing
	silence   *silence
	life      context.Context // of Read and Send
	endLife   context.CancelFunc
	started   chan struct{} // closed when run has begun; nothing is read before
	done      chan struct{} // closed when err is set

	mu     sync.Mutex
	err    *wire.Error // why the connection has ended; nil: it has not
	byPeer bool        // the client has ended it, or is gone
}

var _ mux.Conn = (*conn)(nil)

func newConn(t Transport, unsent *budget.Account) *conn {
	c := &conn{transport: t, out: newOutgoing(unsent), silence: newSilence(), started: make(chan struct{}), done: make(chan struct{})}
	c.life, c.endLife = context.WithCancel(context.Background()) // until the end of run
	return c
}

// Read implements mux.Conn.
func (c *conn) Read(b []byte) (int, error) {
	select {
	case <-c.started:
	case <-c.done:
		return 0, c.reason()
	}
	c.silence.waits(true)
	n, err := c.transport.Read(c.life, b[:min(len(b), readSize)])
	c.silence.waits(false)
	if err != nil && n == 0 {
		c.end(fronts.EndOf(err), true)
		return 0, err
	}
	return n, nil // the error comes again
}

// ReadBody implements mux.Conn: there are no payloads.
func (c *conn) ReadBody(int) (buffer.Payload, error) { return nil, nil }

// WriteParts implements mux.Conn.
func (c *conn) WriteParts(first, second []byte) (int, error) { return c.out.write(true, first, second) }

// WriteLater implements mux.Conn.
func (c *conn) WriteLater(b []byte) (int, error) { return c.out.write(false, b) }

// Fill implements mux.Conn.
func (c *conn) Fill(least, most int, put func(b []byte) int, header func(n int) []byte) error {
	return c.out.fill(least, most, put, header)
}

// Frame implements mux.Conn.
func (c *conn) Frame() int { return frameSize }

// Bare implements mux.Conn.
func (c *conn) Bare() int { return 0 }

// RTT implements mux.Conn. A PlainSession does not use it.
func (c *conn) RTT() time.Duration { return 0 }

// Done implements mux.Conn.
func (c *conn) Done() <-chan struct{} { return c.done }

// Err implements mux.Conn. Where the client is gone, in whatever way, it is the code ok:
// no connection follows this one, so what came over it with a FIN is complete.
func (c *conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err == nil:
		return nil
	case c.byPeer:
		return wire.NewError(wire.OK, c.err.Text)
	}
	return c.err
}

// reason returns why the connection has ended; nil: it has not.
func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		return nil
	}
	return c.err
}

// Close implements mux.Conn. The first reason for the end stays.
func (c *conn) Close() error {
	c.end(fronts.ErrLost, false)
	return nil
}

// Fail implements mux.Conn. run tells the client why.
func (c *conn) Fail(err *wire.Error) { c.end(err, false) }

// shutdown ends the connection with a code behind everything that was written, or when
// the context ends, whose error it returns then.
func (c *conn) shutdown(ctx context.Context, code wire.Code, text string) error {
	err := c.out.flush(ctx)
	c.end(wire.NewError(code, text), false)
	return err
}

func (c *conn) end(err *wire.Error, byPeer bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err, c.byPeer = err, byPeer
	close(c.done)
	c.out.end(err)
	time.AfterFunc(fronts.EndTimeout, c.endLife) // ends a Send that the client does not take
}

// run sends what is written until the connection has ended, then closes it. last returns
// what a client is told in the end. run returns why the connection has ended.
func (c *conn) run(ctx context.Context, last func(*wire.Error) []byte) error {
	defer c.endLife()
	close(c.started)
	stop := context.AfterFunc(ctx, func() { c.end(fronts.ErrLost, false) })
	defer stop()
	var lost *time.Timer                        // set when the client takes no messages any more
	_ = c.out.send(func(message []byte) error { // never fails: it returns at the end
		if lost != nil {
			return nil // dropped
		}
		defer c.silence.heard() // what the network takes, the client takes, but for a bounded part
		if c.transport.Send(c.life, message) != nil {
			// What the client sent before it was lost is still to be read: Read finds the end.
			lost = time.AfterFunc(fronts.EndTimeout, func() { c.end(fronts.ErrLost, true) })
		}
		return nil
	})
	if lost != nil {
		lost.Stop()
	}
	why := c.reason()
	c.close(lost == nil, last)
	return why
}

// close tells the client why the connection ends, and closes it. sends is false where the
// client takes no messages any more.
func (c *conn) close(sends bool, last func(*wire.Error) []byte) {
	c.mu.Lock()
	why, byPeer := c.err, c.byPeer
	c.mu.Unlock()
	rest, whole := c.out.rest()
	if byPeer && why.Code == wire.SessionLost || !sends {
		_ = c.transport.Close(0, "") // nothing can be told
		return
	}
	c.transport.Dismiss()
	if !byPeer && whole {
		// Best effort: the close code says the same.
		_ = c.transport.Send(c.life, append(rest, last(why)...))
	}
	_ = c.transport.Close(why.Code.CloseCode(), why.Text) // why is known to the caller
}
