package mux

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// A frame carries at most MaxFrame bytes, because what stands behind it waits for the whole of it, but in a bare message; below minFrame headers would count.
const (
	MaxFrame = 64 << 10
	minFrame = 4 << 10
)

// Stream is one connection of a program. Read may be called by one goroutine and Write by another; all other methods at any time.
//
// A stream is given back when both directions have ended. Close, or CloseWrite and reading to the end, or Reset brings that about.
type Stream struct {
	session *Session
	id      uint32
	request wire.Request

	resultMu sync.Mutex // serialises the readers of the result
	answered bool
	result   wire.Result
	partial  []byte

	tag    uint64 // of the gate
	holds  int    // of a stream that a server has taken: its handler, its place in the session; guarded by the session
	listed bool   // Streams counts it; guarded by the session

	detached bool   // the handler has returned, or is about to, and releases the stream later
	after    func() // nil: nothing

	mu        sync.Mutex
	readable  sync.Cond // bytes have come, or none will
	writable  sync.Cond // the window has room, or nothing can be written any more
	inbox     inbox
	window    window      // of the other end
	windowOut int         // bytes that the other end takes at present
	read      uint64      // bytes given by Read
	written   uint64      // bytes taken from Write
	writing   bool        // a Write is under way
	accepted  bool        // the other end has taken the stream
	failed    *wire.Error // why nothing more can be written; nil: nothing yet
	mine      *reset      // this end has reset the stream
	theirs    *reset      // the other end has
	rejected  bool        // by yamux's RST
	fin       bool        // the other end's FIN has arrived
	ended     bool        // this end's FIN has been sent
	stopped   bool        // this end reads no more
	stopSent  bool
	unwanted  chan struct{} // closed when nothing more can be written; nil: nobody has asked
}

// reset is an abnormal end of a direction after size bytes.
type reset struct {
	err  *wire.Error
	size uint64
	sent bool
}

func newStream(session *Session, id uint32) *Stream {
	size := uint32(firstWindow)
	if id == controlID {
		size = controlWindow
	}
	s := &Stream{session: session, id: id, window: newWindow(size), windowOut: firstWindow}
	s.readable.L, s.writable.L = &s.mu, &s.mu
	return s
}

// Lost returns a channel that is closed when the session has ended.
func (s *Stream) Lost() <-chan struct{} { return s.session.Done() }

// LostErr says why the session has ended.
func (s *Stream) LostErr() error { return s.session.Err() }

// ClosedCleanly reports whether the session has ended because one end closed it.
// Read has then returned every byte that was sent before the close.
func (s *Stream) ClosedCleanly() bool { return s.session.closedCleanly() }

// ID returns yamux's number of the stream.
func (s *Stream) ID() uint32 { return s.id }

// Request returns what the opener asked for.
func (s *Stream) Request() wire.Request { return s.request }

// Read gives bytes. It returns io.EOF after the other end's FIN, and a *wire.Error after its reset (all bytes before it were given), after
// a result other than ok, and when the session has ended.
func (s *Stream) Read(b []byte) (int, error) {
	n, _, err := s.ReadOrTake(b, 0)
	return n, err
}

// ReadOrTake is Read for a caller that has a use for a bare message where it is: where one of at most most bytes comes next, it gives that instead of filling b, and its length.
// The caller owns the body.
func (s *Stream) ReadOrTake(b []byte, most int) (n int, body buffer.Payload, err error) {
	if err := s.awaitResult(); err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	if s.theirs != nil && s.read >= s.theirs.size && !s.stopped {
		defer s.mu.Unlock()
		return 0, nil, s.theirs.err
	}
	n, body, err = s.receiveLocked(b, most, nil)
	s.read += uint64(n)
	s.mu.Unlock()
	s.consumed(n)
	return n, body, err
}

// WaitReadable blocks until Read would return without blocking, or the stream has ended.
// It lets a caller wait without holding a read buffer. Only the goroutine that calls Read
// may call it, at an initiator's end only after Result.
func (s *Stream) WaitReadable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.inbox.empty() && s.endLocked() == nil {
		s.readable.Wait()
	}
}

// awaitResult lets an opener read without asking for the result first.
func (s *Stream) awaitResult() error {
	s.resultMu.Lock()
	answered, result := s.answered, s.result
	s.resultMu.Unlock()
	if !answered {
		var err error
		if result, err = s.Result(context.Background()); err != nil {
			return err
		}
	}
	return result.Err()
}

// errInterrupted ends a receive that waited in vain.
var errInterrupted = errors.New("interrupted")

// interrupt lets a receive with that variable return.
func (s *Stream) interrupt(late *bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*late = true
	s.readable.Broadcast()
}

// receive gives what has come, whatever it belongs to. late, which may be nil, is guarded by the stream and set by interrupt.
func (s *Stream) receive(b []byte, late *bool) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _, err := s.receiveLocked(b, 0, late)
	return n, err
}

func (s *Stream) receiveLocked(b []byte, most int, late *bool) (int, buffer.Payload, error) {
	if s.stopped {
		return 0, nil, net.ErrClosed
	}
	for {
		if body := s.inbox.takeBody(most); body != nil {
			return body.Len(), body, nil
		}
		if n := s.inbox.take(b); n > 0 || len(b) == 0 {
			return n, nil, nil
		}
		if err := s.endLocked(); err != nil {
			return 0, nil, err
		}
		if late != nil && *late {
			return 0, nil, errInterrupted
		}
		s.readable.Wait()
	}
}

// endLocked is why nothing more will come than what is there; nil: it may.
func (s *Stream) endLocked() error {
	switch {
	case s.mine != nil:
		return s.mine.err
	case s.theirs != nil: // all bytes of the stream travel before its reset: what is not here does not come
		return s.theirs.err
	case s.stopped:
		return net.ErrClosed
	case s.rejected:
		return errRejected
	case s.fin:
		return io.EOF
	case s.session.over.Load():
		return s.session.Err()
	}
	return nil
}

// errRejected is what yamux's RST means.
var errRejected = wire.NewError(wire.Limit, "the other end has too many streams that wait")

// deafLocked tells whether what comes is for nobody.
func (s *Stream) deafLocked() bool { return s.stopped || s.rejected || s.fin }

// mayReceive notes n bytes that are about to come; it returns false if the other end may not send that many.
func (s *Stream) mayReceive(n uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.window.receive(n)
}

// consumed notes that bytes were read, and lets the other end send more. It may wait as long as a Write.
func (s *Stream) consumed(n int) {
	s.mu.Lock()
	if s.fin || s.rejected || !s.window.due(n) {
		s.mu.Unlock()
		return
	}
	more, urgent := s.window.update(s.session.conn.RTT(), &s.session.growth)
	s.mu.Unlock()
	h := newHeader(typeWindowUpdate, 0, s.id, more)
	if urgent {
		_ = s.session.writer.frame(h, nil) // fails only with the session
	} else {
		_ = s.session.writer.later(h) // as above
	}
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
	most, err := s.startWrite(len(b), s.session.frame())
	if err != nil {
		return 0, err
	}
	n := 0
	if err = net.ErrClosed; s.session.gate.enter(&s.tag, most) {
		if err = s.session.writer.frame(newHeader(typeData, 0, s.id, uint32(most)), b[:most]); err == nil {
			n = most
		}
		s.session.gate.leave()
	}
	return n, s.endWrite(most, n, err)
}

// Fill writes bytes that put makes, without a copy: put gets the memory from which the bytes
// are sent and returns how many it has put there. put must not block and must not call the
// session. Fill blocks as Write does; it calls put at most once.
func (s *Stream) Fill(put func(b []byte) int) error {
	most := max(s.session.frame(), s.session.conn.Bare())
	most, err := s.startWrite(most, most)
	if err != nil {
		return err
	}
	n := 0
	if err = net.ErrClosed; s.session.gate.enter(&s.tag, most) {
		n, err = s.session.writer.fill(s.id, most, put)
		s.session.gate.leave()
	}
	return s.endWrite(most, n, err)
}

// endWrite notes that n bytes of most were sent.
func (s *Stream) endWrite(most, n int, err error) error {
	s.mu.Lock()
	s.writing = false
	s.written += uint64(n)
	s.windowOut += most - n
	end := s.settleLocked()
	s.mu.Unlock()
	if end {
		s.end()
	}
	if err != nil {
		return s.session.Err() // a connection refuses bytes only at its end
	}
	return nil
}

// startWrite waits for the window and returns how many of n bytes go into one frame. endWrite follows.
func (s *Stream) startWrite(n, frame int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.awaitWindowLocked(); err != nil {
		return 0, err
	}
	n = min(n, frame, s.windowOut)
	s.windowOut -= n
	s.writing = true
	return n, nil
}

func (s *Stream) awaitWindowLocked() error {
	for s.windowOut <= 0 && s.writableLocked() == nil && !s.session.over.Load() {
		s.writable.Wait()
	}
	if err := s.writableLocked(); err != nil {
		return err
	}
	if s.session.over.Load() {
		return s.session.Err()
	}
	return nil
}

// writeNow sends what is not the program's: it waits for no turn.
func (s *Stream) writeNow(b []byte) error {
	for len(b) > 0 {
		s.mu.Lock()
		if err := s.awaitWindowLocked(); err != nil {
			s.mu.Unlock()
			return err
		}
		part := b[:min(len(b), MaxFrame, s.windowOut)]
		s.windowOut -= len(part)
		s.mu.Unlock()
		if err := s.session.writer.frame(newHeader(typeData, 0, s.id, uint32(len(part))), part); err != nil {
			return s.session.Err()
		}
		b = b[len(part):]
	}
	return nil
}

// mayWrite: the other end takes that many more bytes.
func (s *Stream) mayWrite(n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windowOut += int(n)
	s.writable.Signal()
}

// taken: the other end has taken the stream.
func (s *Stream) taken() {
	s.mu.Lock()
	already := s.accepted
	s.accepted = true
	s.mu.Unlock()
	if already || s.session.unanswered == nil {
		return
	}
	select {
	case <-s.session.unanswered:
	default:
	}
}

// finished: the other end's FIN has arrived. It returns false if that had already.
func (s *Stream) finished() bool {
	s.mu.Lock()
	again := s.fin && !s.rejected
	s.fin = true
	s.readable.Broadcast()
	s.mu.Unlock()
	s.forget()
	return !again
}

// refused: the other end has reset the stream in yamux's way, which no end of version 1 does. Nothing is left of it.
func (s *Stream) refused() {
	s.taken()
	s.mu.Lock()
	s.rejected, s.fin, s.ended = true, true, true
	s.inbox.drop()
	s.failLocked(errRejected)
	s.readable.Broadcast()
	s.mu.Unlock()
	s.forget()
}

// wake lets who waits look again.
func (s *Stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readable.Broadcast()
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

// settleLocked does what had to wait for the end of a Write; it says whether the direction is to be ended now.
func (s *Stream) settleLocked() (end bool) {
	if s.writing {
		return false
	}
	if s.mine != nil && !s.mine.sent {
		s.mine.sent, s.mine.size = true, s.written
		s.session.control.send(wire.StreamReset{ID: s.id, Code: s.mine.err.Code, Size: s.written, Text: s.mine.err.Text})
		return false // FIN follows RESET-DONE
	}
	return s.failed != nil && s.mine == nil
}

// fail makes writing impossible. What waits in Write returns.
func (s *Stream) fail(err *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failLocked(err)
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
		_ = s.session.writer.frame(newHeader(typeWindowUpdate, flagFIN, s.id, 0), nil) // fails only with the session
	}
	s.forget()
}

// forget gives the stream back where both directions have ended.
func (s *Stream) forget() {
	s.mu.Lock()
	over := s.ended && s.fin
	grown := uint32(0)
	if over && s.id != controlID {
		grown, s.window.size = s.window.size-firstWindow, firstWindow // what is read from now on was received before
	}
	s.mu.Unlock()
	if over {
		s.session.growth.give(grown)
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
	s.inbox.drop()
	s.readable.Broadcast()
	s.mu.Unlock()
	if tell {
		s.session.control.send(wire.StreamStop{ID: s.id, Code: code})
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
	s.inbox.drop()
	s.readable.Broadcast()
	s.writable.Broadcast()
	s.settleLocked()
	s.mu.Unlock()
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
