// Package muxtest makes a mux.Conn of any byte stream, for tests of streams without links.
package muxtest

import (
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Conn is a mux.Conn over a byte stream such as a net.Pipe. Its Err is what Fail was given, or
// nothing: a byte stream cannot tell how it was closed.
type Conn struct {
	io.ReadWriteCloser

	done chan struct{}
	once sync.Once // closes done

	mu     sync.Mutex
	reason *wire.Error
	joined []byte // header and body of the frame that is being written
}

var _ mux.Conn = (*Conn)(nil)

// New returns a Conn that owns the stream.
func New(stream io.ReadWriteCloser) *Conn {
	return &Conn{ReadWriteCloser: stream, done: make(chan struct{})}
}

// Done implements mux.Conn. A byte stream that the other end has closed is not done.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Close implements mux.Conn.
func (c *Conn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.ReadWriteCloser.Close()
}

// ReadBody implements mux.Conn. A byte stream has no payloads.
func (c *Conn) ReadBody(int) (buffer.Payload, error) { return nil, nil }

// WriteParts implements mux.Conn: one Write for both parts.
func (c *Conn) WriteParts(first, second []byte) (int, error) {
	c.joined = append(append(c.joined[:0], first...), second...)
	return c.Write(c.joined)
}

// WriteLater implements mux.Conn.
func (c *Conn) WriteLater(b []byte) (int, error) { return c.Write(b) }

// Fill implements mux.Conn.
func (c *Conn) Fill(_, most int, put func(b []byte) int, header func(n int) []byte) error {
	b := make([]byte, most)
	n := put(b)
	if n == 0 {
		return nil
	}
	_, err := c.WriteParts(header(n), b[:n])
	return err
}

// Frame implements mux.Conn.
func (c *Conn) Frame() int { return mux.MaxFrame }

// Bare implements mux.Conn.
func (c *Conn) Bare() int { return 0 }

// RTT implements mux.Conn.
func (c *Conn) RTT() time.Duration { return 0 }

// Fail implements mux.Conn. The first reason stays.
func (c *Conn) Fail(err *wire.Error) {
	c.mu.Lock()
	if c.reason == nil {
		c.reason = err
	}
	c.mu.Unlock()
	_ = c.Close() // nothing is to be said to a stream that has ended
}

// Err implements mux.Conn.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == nil {
		return nil
	}
	return c.reason
}
