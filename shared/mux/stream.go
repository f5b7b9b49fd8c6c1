package mux

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sockmux/sockmux/shared/wire"
)

// A frame carries at most MaxFrame bytes, because what stands behind it waits for the whole of it; below minFrame headers would count.
const (
	MaxFrame = 64 << 10
	minFrame = 4 << 10
)

// past is a deadline that interrupts what waits.
var past = time.Unix(1, 0)

// Stream is one connection of a program. Read may be called by one goroutine and Write by another; all other methods at any time.
//
// A stream is given back when both directions have ended. Close, or CloseWrite and reading to the end, or Reset brings that about.
type Stream struct {
	session *Session
	yamux   raw
	request wire.Request

	resultMu sync.Mutex // serialises the readers of the result
	answered bool
	result   wire.Result
	partial  []byte

	tag   uint64 // of the gate
	holds int    // of a stream that a server has taken: its handler, its place in the session; guarded by the session

	mu       sync.Mutex
	writable *sync.Cond  // the window has room, or nothing can be written any more
	window   int         // bytes that the other end takes at present
	read     uint64      // bytes given by Read
	written  uint64      // bytes taken from Write
	writing  bool        // a Write is under way
	failed   *wire.Error // why nothing more can be written; nil: nothing yet
	mine     *reset      // this end has reset the stream
	theirs   *reset      // the other end has
	fin      bool        // the other end's FIN has arrived
	ended    bool        // this end's FIN has been sent
	stopped  bool        // this end reads no more
	stopSent bool
	unwanted chan struct{} // closed when nothing more can be written; nil: nobody has asked
}

// reset is an abnormal end of a direction after size bytes.
type reset struct {
	err  *wire.Error
	size uint64
	sent bool
}

// Lost returns a channel that is closed when the session has ended.
func (s *Stream) Lost() <-chan struct{} { return s.session.Done() }

// LostErr says why the session has ended.
func (s *Stream) LostErr() error { return s.session.Err() }

// Left says whether the session has ended because one end closed it: then every byte that was sent before has been given by Read.
func (s *Stream) Left() bool { return s.session.closedCleanly() }

// ID returns yamux's number of the stream.
func (s *Stream) ID() uint32 { return s.yamux.StreamID() }

// Request returns what the opener asked for.
func (s *Stream) Request() wire.Request { return s.request }

// Read gives bytes. It returns io.EOF after the other end's FIN, and a *wire.Error after its reset (all bytes before it were given), after
// a result other than ok, and when the session has ended.
func (s *Stream) Read(b []byte) (int, error) {
	if err := s.awaitResult(); err != nil {
		return 0, err
	}
	for {
		s.mu.Lock()
		theirs, stopped, read := s.theirs, s.stopped, s.read
		s.mu.Unlock()
		if stopped {
			return 0, net.ErrClosed
		}
		if theirs != nil && read >= theirs.size {
			return 0, theirs.err
		}
		if theirs != nil {
			s.yamux.SetReadDeadline(past) // what is here comes, and nothing is waited for
		}
		n, err := s.yamux.Read(b)
		s.mu.Lock()
		s.read += uint64(n)
		theirs, stopped = s.theirs, s.stopped
		s.mu.Unlock()
		switch {
		case n > 0:
			s.session.consumed(s.ID(), n)
			return n, nil
		case errors.Is(err, yamux.ErrTimeout) && theirs != nil:
			// All bytes of the stream travel before its reset: what is not here does not come.
			return 0, theirs.err
		case errors.Is(err, yamux.ErrTimeout) && !stopped && !s.session.yamux.IsClosed():
			s.yamux.SetReadDeadline(time.Time{}) // it belonged to somebody who waited before
		case err != nil:
			return 0, s.readError(err)
		}
	}
}

// awaitResult lets an opener read without asking for the result first.
func (s *Stream) awaitResult() error {
	s.resultMu.Lock()
	answered, result := s.answered, s.result
	s.resultMu.Unlock()
	if !answered {
		var err error
		if result, err = s.Result(background); err != nil {
			return err
		}
	}
	return result.Err()
}

// readError says what an error of yamux's reader means.
func (s *Stream) readError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mine != nil:
		return s.mine.err
	case s.theirs != nil:
		return s.theirs.err
	case s.stopped:
		return net.ErrClosed
	case errors.Is(err, io.EOF) && s.fin:
		return io.EOF
	case errors.Is(err, yamux.ErrConnectionReset) && !s.session.yamux.IsClosed():
		return wire.NewError(wire.Limit, "the other end has too many streams that wait")
	}
	return s.session.Err()
}

// Write takes bytes and waits until the session has taken them. After a reset or a stop of the other end it returns that as a *wire.Error.
func (s *Stream) Write(b []byte) (int, error) {
	total := 0
	for len(b) > 0 {
		n, err := s.writeFrame(b)
		total += n
		if err != nil {
			return total, err
		}
		b = b[n:]
	}
	return total, nil
}

// writeFrame sends the first part of b: when the other end takes it, and when it is this stream's turn.
func (s *Stream) writeFrame(b []byte) (int, error) {
	s.mu.Lock()
	for s.window <= 0 && s.writableLocked() == nil && !s.session.yamux.IsClosed() {
		s.writable.Wait()
	}
	if err := s.writableLocked(); err != nil {
		s.mu.Unlock()
		return 0, err
	}
	b = b[:min(len(b), s.session.frame(), max(s.window, 1))]
	s.writing = true
	s.mu.Unlock()

	n, err := 0, error(yamux.ErrSessionShutdown)
	if s.session.gate.enter(&s.tag, len(b)) {
		n, err = s.yamux.Write(b)
		s.session.gate.leave()
	}

	s.mu.Lock()
	s.writing = false
	s.written += uint64(n)
	s.window -= n
	end := s.settleLocked()
	s.mu.Unlock()
	if end {
		s.end()
	}
	if err != nil {
		return n, s.writeError(err)
	}
	return n, nil
}

// spent notes bytes that were sent beside Write.
func (s *Stream) spent(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window -= n
}

// mayWrite: the other end takes that many more bytes.
func (s *Stream) mayWrite(n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.window += int(n)
	s.writable.Signal()
}

// wakeWriter lets a Write that waits look again.
func (s *Stream) wakeWriter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writable.Broadcast()
}

func (s *Stream) writableLocked() error {
	switch {
	case s.mine != nil:
		return s.mine.err
	case s.failed != nil:
		return s.failed
	case s.ended:
		return net.ErrClosed
	}
	return nil
}

// writeError says what an error of yamux's writer means.
func (s *Stream) writeError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.writableLocked(); known != nil && !s.session.yamux.IsClosed() {
		return known
	}
	if errors.Is(err, yamux.ErrConnectionReset) && !s.session.yamux.IsClosed() {
		return wire.NewError(wire.Limit, "the other end has too many streams that wait")
	}
	return s.session.Err()
}

// settleLocked does what had to wait for the end of a Write; it says whether the direction is to be ended now.
func (s *Stream) settleLocked() (end bool) {
	if s.writing {
		return false
	}
	if s.mine != nil && !s.mine.sent {
		s.mine.sent, s.mine.size = true, s.written
		s.session.control.send(wire.StreamReset{ID: s.ID(), Code: s.mine.err.Code, Size: s.written, Text: s.mine.err.Text})
		return false // FIN follows RESET-DONE
	}
	return s.failed != nil && s.mine == nil
}

// fail makes writing impossible. What waits in Write returns.
func (s *Stream) fail(err *wire.Error) {
	s.mu.Lock()
	s.failLocked(err)
	s.mu.Unlock()
	s.yamux.SetWriteDeadline(past)
}

func (s *Stream) failLocked(err *wire.Error) {
	if s.failed != nil {
		return
	}
	s.failed = err
	s.writable.Broadcast()
	if s.unwanted != nil {
		close(s.unwanted)
	}
}

// Stopped returns a channel that is closed when the other end reads no more: after its stop, its reset or a refusal. The end of the session does not close it.
func (s *Stream) Stopped() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unwanted == nil {
		s.unwanted = make(chan struct{})
		if s.failed != nil {
			close(s.unwanted)
		}
	}
	return s.unwanted
}

// end sends FIN.
func (s *Stream) end() {
	s.mu.Lock()
	already := s.ended
	s.ended = true
	s.mu.Unlock()
	if !already {
		_ = s.yamux.Close() // fails only with the session
	}
	s.forget()
}

// finished: the other end's FIN has arrived.
func (s *Stream) finished() {
	s.mu.Lock()
	s.fin = true
	s.mu.Unlock()
	s.forget()
}

// forget gives the stream back where both directions have ended.
func (s *Stream) forget() {
	s.mu.Lock()
	over := s.ended && s.fin
	s.mu.Unlock()
	if over {
		s.session.remove(s)
	}
}

// CloseWrite ends this direction after what was written: a half-close. No Write may be under way.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	err := s.writableLocked()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	s.end()
	return nil
}

// StopRead gives up reading: a Read that waits returns net.ErrClosed, and the other end is told to stop sending.
func (s *Stream) StopRead(code wire.Code) error {
	s.mu.Lock()
	s.stopped = true
	tell := !s.stopSent && !s.fin && s.theirs == nil && s.mine == nil
	s.stopSent = s.stopSent || tell
	s.mu.Unlock()
	s.yamux.SetReadDeadline(past)
	if tell {
		s.session.control.send(wire.StreamStop{ID: s.ID(), Code: code})
	}
	return nil
}

// Reset ends both directions at once. The other end gets every byte that Write took, then the code.
func (s *Stream) Reset(code wire.Code, text string) error {
	s.mu.Lock()
	if s.mine != nil || s.ended && (s.fin || s.theirs != nil) {
		s.mu.Unlock()
		return nil
	}
	if s.ended { // too late to reset what was sent; the rest is not wanted
		s.mu.Unlock()
		return s.StopRead(code)
	}
	s.mine = &reset{err: wire.NewError(code, text)}
	s.stopped = true
	s.writable.Broadcast()
	s.settleLocked()
	s.mu.Unlock()
	s.yamux.SetWriteDeadline(past)
	s.yamux.SetReadDeadline(past)
	return nil
}

// Close gives the stream up like close(2): what was written is delivered, what comes is dropped.
func (s *Stream) Close() error {
	err := s.CloseWrite()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	_ = s.StopRead(wire.Aborted) // never fails
	if e := (*wire.Error)(nil); errors.As(err, &e) {
		return nil // it had ended in another way before
	}
	return err
}
