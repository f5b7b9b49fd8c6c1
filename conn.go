package sockmux

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// A Conn is a connection to a target. It implements net.Conn and has the methods of
// *net.TCPConn that make sense here. All methods may be called at any time by any goroutine.
//
// Write returns when the session has taken the bytes or they are in a buffer of 128 KiB, as a
// socket's send buffer has them. An error that concerns them comes with a later call.
type Conn struct {
	dialer        *Dialer
	stream        stream
	network       string
	local, remote net.Addr
	closing       atomic.Bool

	reading sync.Mutex // held by Read: a stream has one reader
	out     sendBuffer
	options socketOptions
}

var _ net.Conn = (*Conn)(nil)

func newConn(d *Dialer, s stream, network string, local, remote net.Addr) *Conn {
	c := &Conn{dialer: d, stream: s, network: network, local: local, remote: remote}
	c.out.init(s, &d.drains)
	return c
}

// Read implements net.Conn. It returns io.EOF after the target has closed its direction.
func (c *Conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	n, err := c.stream.Read(b)
	if err != nil && c.closing.Load() {
		err = net.ErrClosed // whatever Close or Reset has made of the stream
	}
	return n, c.opError("read", err)
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.opError("write", err)
}

// Close implements net.Conn. It does not wait: what Write has taken is delivered behind it,
// for as long as the target takes it. What comes is dropped. A Read and a Write under way
// return net.ErrClosed.
func (c *Conn) Close() error {
	if !c.closing.CompareAndSwap(false, true) {
		return c.opError("close", net.ErrClosed)
	}
	c.stream.SetReadDeadline(time.Time{})
	_ = c.stream.CancelRead(wire.Aborted) // never fails
	c.out.close(func() {
		_ = c.stream.Close() // as after close(2), there is no one to whom it matters
		c.dialer.forget(c)
	})
	return nil
}

// Reset closes the connection at once: what was not sent is dropped, and the target's
// connection is reset, as after SetLinger(0) and Close of a *net.TCPConn.
func (c *Conn) Reset() error {
	if !c.closing.CompareAndSwap(false, true) {
		return c.opError("close", net.ErrClosed)
	}
	c.stream.SetReadDeadline(time.Time{})
	_ = c.stream.Reset(wire.Aborted, "")  // never fails
	_ = c.stream.CancelRead(wire.Aborted) // likewise
	c.out.close(func() { c.dialer.forget(c) })
	return nil
}

// abort implements kept.
func (c *Conn) abort() { _ = c.stream.Reset(wire.Aborted, "") } // never fails

// CloseWrite ends the direction to the target behind what Write has taken. The target sees the
// end of the stream and may still answer.
func (c *Conn) CloseWrite() error { return c.opError("close", c.out.finish()) }

// CloseRead gives up reading. The target's bytes are dropped.
func (c *Conn) CloseRead() error {
	if c.closing.Load() {
		return c.opError("close", net.ErrClosed)
	}
	return c.opError("close", c.stream.CancelRead(wire.Aborted))
}

// LocalAddr implements net.Conn. The address is the server's end of the connection.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn. It returns the address that the server has dialed, or the
// dialed name if the server does not tell addresses.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.closing.Load() {
		return c.opError("set", net.ErrClosed)
	}
	c.stream.SetReadDeadline(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.closing.Load() {
		return c.opError("set", net.ErrClosed)
	}
	c.out.setDeadline(t)
	return nil
}
