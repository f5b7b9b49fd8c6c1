package local

import (
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// pipeSize is how many bytes wait in each direction at most.
	pipeSize = 64 << 10
	// frameSize is what one frame of a stream carries at most, so streams take turns.
	frameSize = pipeSize / 4
)

// pair is a connection in memory. All methods of it and its ends may be called at any time.
type pair struct {
	up, down *pipe
	done     chan struct{}

	mu     sync.Mutex
	reason *wire.Error // of the end; nil: it has not ended
}

func newPair() *pair { return &pair{up: newPipe(), down: newPipe(), done: make(chan struct{})} }

func (p *pair) initiator() mux.Conn { return &end{pair: p, in: p.down, out: p.up} }
func (p *pair) acceptor() mux.Conn  { return &end{pair: p, in: p.up, out: p.down} }

// end ends both directions. Behind the code ok, what was written can still be read.
func (p *pair) end(reason *wire.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reason != nil {
		return
	}
	p.reason = reason
	close(p.done)
	readable := reason.Code == wire.OK
	p.up.end(readable, reason)
	p.down.end(readable, reason)
}

// end is one end of a pair.
type end struct {
	*pair
	in, out *pipe
}

var _ mux.Conn = (*end)(nil)

// Read implements mux.Conn.
func (e *end) Read(b []byte) (int, error) { return e.in.read(b) }

// ReadBody implements mux.Conn: there are no payloads.
func (e *end) ReadBody(int) (buffer.Payload, error) { return nil, nil }

// WriteParts implements mux.Conn.
func (e *end) WriteParts(first, second []byte) (int, error) { return e.out.write(first, second) }

// WriteLater implements mux.Conn. Nothing is won by waiting.
func (e *end) WriteLater(b []byte) (int, error) { return e.out.write(b) }

// Fill implements mux.Conn.
func (e *end) Fill(least, most int, put func(b []byte) int, header func(n int) []byte) error {
	return e.out.fill(least, most, put, header)
}

// Frame implements mux.Conn.
func (e *end) Frame() int { return frameSize }

// Bare implements mux.Conn.
func (e *end) Bare() int { return 0 }

// RTT implements mux.Conn: there is none.
func (e *end) RTT() time.Duration { return 0 }

// Close implements mux.Conn.
func (e *end) Close() error {
	e.pair.end(errClosed)
	e.in.drop()
	return nil
}

// Fail implements mux.Conn.
func (e *end) Fail(err *wire.Error) { e.pair.end(err) }

// Done implements mux.Conn.
func (e *end) Done() <-chan struct{} { return e.done }

// Err implements mux.Conn.
func (e *end) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reason == nil {
		return nil
	}
	return e.reason
}

// pipe is one direction.
type pipe struct {
	mu      sync.Mutex
	changed sync.Cond // there are bytes, or room, or it is over
	buffer  []byte    // of pipeSize bytes; nil before the first byte
	from    int       // where unread bytes begin
	to      int       // where they end
	over    error     // why nothing is written any more
	dropped bool      // nothing is read any more
}

func newPipe() *pipe {
	p := new(pipe)
	p.changed.L = &p.mu
	return p
}

func (p *pipe) end(readable bool, reason error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = reason
	p.dropped = p.dropped || !readable
	p.changed.Broadcast()
}

func (p *pipe) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = true
	p.changed.Broadcast()
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.dropped && p.over != nil:
			return 0, p.over
		case p.from < p.to:
			n := copy(b, p.buffer[p.from:p.to])
			p.from += n
			p.changed.Broadcast()
			return n, nil
		case p.over != nil:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

// write writes parts that belong together.
func (p *pipe) write(parts ...[]byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, part := range parts {
		for len(part) > 0 {
			if err := p.awaitLocked(1); err != nil {
				return n, err
			}
			m := copy(p.buffer[p.to:], part)
			p.to, n, part = p.to+m, n+m, part[m:]
			p.changed.Broadcast()
		}
	}
	return n, nil
}

func (p *pipe) fill(least, most int, put func(b []byte) int, header func(n int) []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := len(header(0))
	if err := p.awaitLocked(size + least); err != nil {
		return err
	}
	free := p.buffer[p.to:]
	if n := put(free[size:min(size+most, len(free))]); n > 0 {
		copy(free, header(n))
		p.to += size + n
		p.changed.Broadcast()
	}
	return nil
}

// awaitLocked blocks until there is room for n bytes in a row.
func (p *pipe) awaitLocked(n int) error {
	for {
		if p.over != nil {
			return p.over
		}
		if p.buffer == nil {
			p.buffer = make([]byte, pipeSize)
		}
		if p.from == p.to || len(p.buffer)-p.to < n && p.from > 0 {
			p.to = copy(p.buffer, p.buffer[p.from:p.to])
			p.from = 0
		}
		if len(p.buffer)-p.to >= n {
			return nil
		}
		p.changed.Wait()
	}
}
