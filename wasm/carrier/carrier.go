// Package carrier makes a link.Carrier of each WebSocket of the browser. The sockets themselves are
// in JavaScript. Their events come through the methods of Set, which never wait.
package carrier

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/memory"
)

const (
	// highWater is how many bytes may wait in the browser's own buffer, which knows no
	// back-pressure. The link keeps less than that in flight on all but the fastest
	// paths; this holds where its window is still too large for a line that has just
	// become slow.
	highWater = 2 << 20
	// lookAgain is how soon a full buffer is looked at again where no message of the
	// server's comes first. Timers of hidden pages are slower; acknowledgements are not.
	lookAgain = 5 * time.Millisecond
)

// Browser is what JavaScript does for carriers. No method waits or calls back.
type Browser interface {
	Dial(id uint32)
	Send(id uint32, message []byte) (buffered int) // bytes that the browser has not sent yet
	Buffered(id uint32) int
	Close(id uint32, code int, reason string)
	CopyBody(handle uint32, to []byte, at int)
	DropBody(handle uint32)
}

// Body is a bare message that JavaScript keeps. It implements buffer.Payload.
type Body struct {
	browser Browser
	handle  uint32
	length  int
}

// Handle returns the number by which JavaScript knows it, for who hands it on to
// JavaScript instead of calling Release.
func (b Body) Handle() uint32 { return b.handle }

// Len implements buffer.Payload.
func (b Body) Len() int { return b.length }

// CopyAt implements buffer.Payload.
func (b Body) CopyAt(to []byte, at int) { b.browser.CopyBody(b.handle, to, at) }

// Release implements buffer.Payload.
func (b Body) Release() { b.browser.DropBody(b.handle) }

// message is one that has come: bytes, a body, or a violation, which is the last.
type message struct {
	bytes     []byte
	body      buffer.Payload
	violation *wire.Error
}

// Set holds the carriers by number.
type Set struct {
	browser Browser
	pool    *memory.Pool

	mu       sync.Mutex
	last     uint32
	carriers map[uint32]*Carrier
}

// NewSet returns an empty set. Messages come in buffers of the pool.
func NewSet(browser Browser, pool *memory.Pool) *Set {
	return &Set{browser: browser, pool: pool, carriers: make(map[uint32]*Carrier)}
}

// Carrier is one WebSocket. It implements link.Carrier.
type Carrier struct {
	set    *Set
	id     uint32
	opened chan struct{}
	closed chan struct{}
	change chan struct{} // capacity 1: a message has come
	room   chan struct{} // capacity 1: the buffer may have room

	lent []byte // the message that Receive gave last; the receiver's alone

	mu     sync.Mutex
	queue  []message
	isOpen bool
	reason error // nil while the WebSocket lives
}

var _ link.Carrier = (*Carrier)(nil)

// Dial makes a WebSocket and waits until it is open.
func (s *Set) Dial(ctx context.Context) (*Carrier, error) {
	s.mu.Lock()
	s.last++
	c := &Carrier{
		set: s, id: s.last, opened: make(chan struct{}), closed: make(chan struct{}),
		change: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	s.carriers[c.id] = c
	s.mu.Unlock()
	s.browser.Dial(c.id)
	select {
	case <-c.opened:
		return c, nil
	case <-c.closed:
		return nil, c.err()
	case <-ctx.Done():
		_ = c.Close(0, "") // never fails
		return nil, errors.New("no connection in time")
	}
}

func (s *Set) find(id uint32) *Carrier {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.carriers[id]
}

// Opened tells that the WebSocket is open.
func (s *Set) Opened(id uint32) {
	if c := s.find(id); c != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.isOpen {
			c.isOpen = true
			close(c.opened)
		}
	}
}

// Message hands over a message in a buffer of the pool.
func (s *Set) Message(id uint32, bytes []byte) {
	if c := s.find(id); c != nil {
		c.put(message{bytes: bytes})
		return
	}
	s.pool.Put(bytes)
}

// Body tells of a bare message, which JavaScript keeps under the handle until it is
// dropped or handed on.
func (s *Set) Body(id, handle uint32, length int) {
	body := Body{s.browser, handle, length}
	if c := s.find(id); c != nil {
		c.put(message{body: body})
		return
	}
	body.Release()
}

// Violated reports a message that JavaScript did not take because it breaks a bound of the
// protocol. Receive returns the error behind the messages before it, which ends the session.
func (s *Set) Violated(id uint32, code wire.Code, text string) {
	if c := s.find(id); c != nil {
		c.put(message{violation: wire.NewError(code, text)})
	}
}

func (c *Carrier) put(m message) {
	c.mu.Lock()
	c.queue = append(c.queue, m)
	c.mu.Unlock()
	poke(c.change)
	poke(c.room)
}

// Closed tells that the WebSocket has ended, with a reason for people.
func (s *Set) Closed(id uint32, reason string) {
	if c := s.find(id); c != nil {
		c.end(errors.New(reason))
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (c *Carrier) end(reason error) {
	c.set.mu.Lock()
	delete(c.set.carriers, c.id)
	c.set.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reason == nil {
		c.reason = reason
		close(c.closed)
	}
}

func (c *Carrier) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// Send implements link.Carrier. It waits while the browser's buffer is full.
func (c *Carrier) Send(ctx context.Context, message []byte) error {
	if err := c.err(); err != nil {
		return err
	}
	if c.set.browser.Send(c.id, message) <= highWater {
		return nil
	}
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	for {
		select {
		case <-c.room:
		case <-timer.C:
			timer.Reset(lookAgain)
		case <-c.closed:
			return c.err()
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.set.browser.Buffered(c.id) <= highWater {
			return nil
		}
	}
}

// errNotBare and errBare are how a carrier ends whose two halves differ about what a
// message is, which only a broken script can bring about.
var (
	errNotBare = errors.New("a message came in place of a bare one")
	errBare    = errors.New("a bare message came unannounced")
)

// Receive implements link.Carrier. What came before the end is given first.
func (c *Carrier) Receive(ctx context.Context) ([]byte, error) {
	m, err := c.next(ctx)
	if err == nil && m.body != nil {
		m.body.Release()
		err = errBare
	}
	if err != nil {
		return nil, err
	}
	c.lent = m.bytes
	return m.bytes, nil
}

// ReceiveBody implements link.Carrier.
func (c *Carrier) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := c.next(ctx)
	if err == nil && m.body == nil {
		c.set.pool.Put(m.bytes)
		err = errNotBare
	}
	return m.body, err
}

// next waits for a message. The one that Receive gave last is not needed any more.
func (c *Carrier) next(ctx context.Context) (message, error) {
	if c.lent != nil {
		c.set.pool.Put(c.lent)
		c.lent = nil
	}
	for {
		c.mu.Lock()
		if len(c.queue) > 0 {
			m := c.queue[0]
			c.queue[0] = message{}
			c.queue = c.queue[1:]
			c.mu.Unlock()
			if m.violation != nil {
				return message{}, m.violation
			}
			return m, nil
		}
		reason := c.reason
		c.mu.Unlock()
		if reason != nil {
			return message{}, reason
		}
		select {
		case <-c.change:
		case <-c.closed:
		case <-ctx.Done():
			return message{}, ctx.Err()
		}
	}
}

// Close implements link.Carrier. It waits for nothing: the browser delivers what was sent
// before. What has come and was not received is dropped.
func (c *Carrier) Close(code int, reason string) error {
	c.set.browser.Close(c.id, code, reason)
	c.end(errors.New("closed"))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.queue {
		switch {
		case m.body != nil:
			m.body.Release()
		case m.violation == nil:
			c.set.pool.Put(m.bytes)
		}
	}
	c.queue = nil
	return nil
}
