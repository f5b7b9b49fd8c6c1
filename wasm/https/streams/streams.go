// Package streams gives the program the page's streams as connections.
package streams

import (
	"context"
	"net"
	"strconv"
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/memory"
)

// Page is where messages for the page go. Tell copies the bytes and never calls back.
type Page interface {
	Tell(kind, id, number uint32, b []byte)
}

// Error says why a stream ended, in the words of the server or of the tunnel.
type Error struct {
	Code wire.Code
	Text string
}

func (e *Error) Error() string {
	if e.Text == "" {
		return e.Code.String()
	}
	return e.Code.String() + ": " + e.Text
}

// Set holds the streams that live. Its methods named after messages never wait.
type Set struct {
	page Page
	pool *memory.Pool
	mu   sync.Mutex
	last uint32
	live map[uint32]*Conn
}

// NewSet returns a set without streams.
func NewSet(page Page, pool *memory.Pool) *Set {
	return &Set{page: page, pool: pool, live: make(map[uint32]*Conn)}
}

// Dial opens a stream to host:port and waits for the target. The error is an *Error or the
// context's.
func (s *Set) Dial(ctx context.Context, address string) (*Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, &Error{wire.InvalidRequest, "port " + port + " is not in 1 to 65535"}
	}
	s.mu.Lock()
	s.last += 2 // the page's own are odd
	c := s.add(s.last, address)
	s.mu.Unlock()
	s.page.Tell(message.Open, c.id, 0, []byte(host+"\x00"+port))
	select {
	case <-c.opened:
		return c, nil
	case <-c.ended:
		return nil, c.err()
	case <-ctx.Done():
		_ = c.Close()
		return nil, ctx.Err()
	}
}

// Adopt returns the connection over a stream that the page has opened. Its id is odd.
func (s *Set) Adopt(id uint32) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.add(id, "")
}

func (s *Set) add(id uint32, address string) *Conn {
	c := newConn(s, id, address)
	s.live[id] = c
	return c
}

func (s *Set) get(id uint32) *Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live[id]
}

// Opened is the message of that name.
func (s *Set) Opened(id uint32) {
	if c := s.get(id); c != nil {
		c.open()
	}
}

// Data is the message of that name. It owns the buffer, which is of the pool.
func (s *Set) Data(id uint32, b []byte) {
	if c := s.get(id); c != nil {
		c.in.Put(b)
		return
	}
	s.pool.Put(b)
}

// EOF is the message of that name.
func (s *Set) EOF(id uint32) {
	if c := s.get(id); c != nil {
		c.eof()
	}
}

// Written is the message of that name.
func (s *Set) Written(id uint32, n int) {
	if c := s.get(id); c != nil {
		c.out.Give(n)
	}
}

// Closed is the message of that name.
func (s *Set) Closed(id uint32, code wire.Code, text string) {
	s.mu.Lock()
	c := s.live[id]
	delete(s.live, id)
	s.mu.Unlock()
	if c != nil {
		c.end(code, text)
	}
}
