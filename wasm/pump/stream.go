package pump

import (
	"context"
	"errors"
	"io"
	"math"
	"net/netip"
	"sync"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Sizes of the buffers that a reader offers: they grow while they are filled, because
// each event costs the page a task's share, and shrink again, because an idle stream
// keeps its buffer.
const (
	smallBuffer = 4 << 10
	largeBuffer = 256 << 10
)

// joined is how long short writes become together: the copy costs less than a frame of its own.
const joined = 4 << 10

// stream is one stream of the page. run reads; the writer is a goroutine of its own.
type stream struct {
	pump    *Pump
	id      uint32
	request Request
	ctx     context.Context // ends when the page gives the stream up before it is open
	cancel  context.CancelFunc

	mu      sync.Mutex
	change  chan struct{}      // closed and made anew with each change of what is below
	mux     *mux.Stream        // nil before it is open
	options wire.SocketOptions // set before that, and not part of the request
	credit  uint64
	writes  [][]byte
	writing bool      // a Write of the session is under way
	ended   bool      // no more writes
	stopped bool      // the page reads no more
	opened  bool      // the server's answer was ok
	code    wire.Code // of the page's reset
	isReset bool
	over    bool // the reader has told the end
}

func newStream(p *Pump, id uint32, request Request) *stream {
	s := &stream{pump: p, id: id, request: request, change: make(chan struct{}), credit: uint64(request.Window)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// update changes the stream's state and wakes the goroutines that wait for it.
func (s *stream) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.change)
	s.change = make(chan struct{})
}

func (s *stream) write(b []byte) {
	s.update(func() {
		if s.ended || s.isReset || s.over {
			s.pump.pool.Put(b)
			return
		}
		s.writes = append(s.writes, b)
	})
}

func (s *stream) closeWrite() { s.update(func() { s.ended = true }) }

func (s *stream) grant(bytes uint32) { s.update(func() { s.credit += uint64(bytes) }) }

func (s *stream) setSocketOptions(options wire.SocketOptions) {
	s.update(func() {
		if s.mux != nil {
			s.mux.SetSocketOptions(options)
		} else {
			s.options = s.options.With(options)
		}
	})
}

// stop gives up reading. What is not wanted are the bytes behind the server's answer, so the
// session learns of it only after the answer.
func (s *stream) stop() {
	var opened bool
	s.update(func() { s.stopped, opened = true, s.opened })
	if opened {
		_ = s.mux.CancelRead(wire.Aborted) // never fails
	}
}

// abandon resets a stream that the page can give no more bytes, unless the session has taken
// every byte that the page has written: an upload that is cut must not look complete.
func (s *stream) abandon() {
	s.mu.Lock()
	cut := len(s.writes) > 0 || s.writing
	s.mu.Unlock()
	if cut {
		s.reset(wire.Aborted)
	}
}

func (s *stream) reset(code wire.Code) {
	var m *mux.Stream
	s.update(func() {
		s.isReset, s.code, m = true, code, s.mux
	})
	s.cancel()
	if m != nil {
		_ = m.Reset(code, "") // never fails
	}
}

// run is the stream's goroutine: it opens, reads, and tells the end when the writer has ended too.
func (s *stream) run() {
	defer s.cancel()
	read, known := readers[s.request.Kind]
	if !known {
		s.finish(wire.NewError(wire.UnsupportedKind, "streams of the kind "+s.request.Kind.String()+" are not known here"))
		return
	}
	m, err := s.open()
	if err != nil {
		s.finish(err)
		return
	}
	var writer sync.WaitGroup
	var lost error
	writer.Go(func() { lost = s.writeAll(m) })
	err = s.result(m)
	if err == nil {
		err = read(s, m)
	}
	if err != nil {
		s.update(func() { s.over = true }) // nothing that is written now arrives
	}
	writer.Wait()
	if err == nil {
		err = lost
	}
	_ = m.Close() // it has ended, or ends now
	s.finish(err)
}

// open sends the request.
func (s *stream) open() (*mux.Stream, error) {
	m, err := s.pump.opener.Open(s.request.Request)
	if err != nil {
		return nil, err
	}
	var isReset bool
	s.update(func() {
		s.mux, isReset = m, s.isReset
		m.SetSocketOptions(s.options)
	})
	if isReset {
		_ = m.Reset(s.code, "") // never fails
	}
	return m, nil
}

// result waits for the server's answer, also where the page reads no more.
func (s *stream) result(m *mux.Stream) error {
	ctx := s.ctx
	if s.request.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.request.Timeout)
		defer cancel()
	}
	result, err := m.Result(ctx)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		_ = m.Reset(wire.TimedOut, "") // never fails
		return wire.NewError(wire.TimedOut, "no answer within "+s.request.Timeout.String())
	case errors.Is(err, context.Canceled):
		return wire.NewError(s.code, "")
	case err != nil:
		return err
	case result.Code != wire.OK:
		return result.Err()
	}
	var stopped bool
	s.update(func() { s.opened, stopped = true, s.stopped })
	if stopped {
		_ = m.CancelRead(wire.Aborted) // never fails
	}
	if !s.request.Optimistic {
		text := addr(result.Bound.IsValid(), result.Bound.Addr()) + "\x00" + addr(result.Remote.IsValid(), result.Remote.Addr())
		s.pump.tell(Event{Kind: Opened, ID: s.id, A: uint32(result.Bound.Port()), B: uint32(result.Remote.Port()), Data: []byte(text)})
	}
	return nil
}

func addr(valid bool, a netip.Addr) string {
	if !valid {
		return ""
	}
	return a.String()
}

// readAll reads until the end of the other direction. It returns nil after EOF and after
// the page's stop.
func (s *stream) readAll(m *mux.Stream) error {
	size := smallBuffer
	for {
		room, ok := s.awaitCredit()
		if !ok {
			return nil
		}
		b := s.pump.pool.Get(int(min(uint64(size), room)))
		n, body, err := m.ReadOrTake(b, int(min(room, math.MaxInt32)))
		if n > 0 {
			if room != Unlimited {
				s.mu.Lock()
				s.credit -= uint64(n)
				s.mu.Unlock()
			}
			if body != nil {
				s.pump.pool.Put(b)
				s.pump.tell(Event{Kind: Data, ID: s.id, Body: body})
				continue
			}
			s.pump.tell(Event{Kind: Data, ID: s.id, Data: b[:n]})
			switch {
			case n == size && size < largeBuffer:
				size *= 4
			case n < size/8 && size > smallBuffer:
				size /= 4
			}
			continue
		}
		s.pump.pool.Put(b)
		switch {
		case errors.Is(err, io.EOF):
			s.pump.tell(Event{Kind: EOF, ID: s.id})
			return nil
		case errors.Is(err, closed.Err):
			return nil // the page has stopped
		case err != nil:
			return err
		}
	}
}

// awaitCredit waits until the page takes bytes and the queue has room; it returns false
// when the page has stopped reading.
func (s *stream) awaitCredit() (credit uint64, ok bool) {
	for {
		s.mu.Lock()
		credit, change := s.credit, s.change
		done := s.stopped || s.isReset
		s.mu.Unlock()
		if s.request.Window == Unlimited {
			credit = Unlimited
		}
		if done {
			return credit, !done || s.isReset // a reset shows in Read
		}
		if credit == 0 {
			select {
			case <-change:
			case <-s.lost():
				return smallBuffer, true // Read tells the end of the session
			}
			continue
		}
		room := s.pump.waitForRoom()
		if room == nil {
			return credit, true
		}
		select {
		case <-room:
		case <-change:
		}
	}
}

// lost is closed when the stream can no longer be read for a reason that Read tells.
func (s *stream) lost() <-chan struct{} { return s.mux.Lost() }

// writeAll sends what the page writes, until it has ended its direction or it is not
// wanted. It returns an error only where the session ends before that.
func (s *stream) writeAll(m *mux.Stream) error {
	for {
		s.mu.Lock()
		change := s.change
		b := s.nextLocked()
		ended, over := s.ended, s.over || s.isReset
		s.mu.Unlock()
		switch {
		case b != nil:
			if !over {
				_, _ = m.Write(b) // what fails here the reader tells; what is not wanted is dropped
			}
			s.mu.Lock()
			s.writing = false
			s.mu.Unlock()
			n := len(b)
			s.pump.pool.Put(b)
			s.pump.tell(Event{Kind: Written, ID: s.id, A: uint32(n)})
		case over:
			return nil
		case ended:
			_ = m.CloseWrite() // as above
			return nil
		default:
			select {
			case <-change:
			case <-m.Lost():
				return m.LostErr()
			}
		}
	}
}

// nextLocked takes what is to be written next. Short writes that wait behind one another
// become one: on TCP the buffers of one writev() leave in one segment, and a program that
// reads its echo expects them together.
func (s *stream) nextLocked() []byte {
	if len(s.writes) == 0 {
		return nil
	}
	n, length := 0, 0
	for n < len(s.writes) && length+len(s.writes[n]) <= joined {
		length += len(s.writes[n])
		n++
	}
	b := s.writes[0]
	if n > 1 {
		b = s.pump.pool.Get(length)[:0]
		for _, piece := range s.writes[:n] {
			b = append(b, piece...)
			s.pump.pool.Put(piece)
		}
	}
	n = max(n, 1)
	clear(s.writes[:n])
	s.writes = s.writes[n:]
	s.writing = true
	return b
}

// finish tells the end.
func (s *stream) finish(err error) {
	e := Event{Kind: Closed, ID: s.id}
	s.mu.Lock()
	isReset, code := s.isReset, s.code
	s.over = true
	s.mu.Unlock()
	var known *wire.Error
	switch {
	case isReset:
		e.A = uint32(code)
	case errors.As(err, &known):
		e.A, e.Data = uint32(known.Code), []byte(known.Text)
	case err != nil:
		e.A, e.Data = uint32(wire.Internal), []byte(err.Error())
	}
	s.pump.remove(s.id)
	s.pump.tell(e)
}
