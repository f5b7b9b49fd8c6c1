package mux

import (
	"errors"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/wire"
)

// Stream is one connection of a program. One goroutine may call Read and another one Write;
// all other methods may be called at any time.
//
// A stream is gone when both halves have ended. Close brings that about, or CloseWrite and
// reading to the end, or Reset.
type Stream struct {
	session *Session
	id      uint32

	request   wire.Request
	malformed *wire.Error // what is wrong with the request of the peer; read behind recv.came
	result    wire.Result // of this end's request; read behind recv.came
	control   bool        // this is the control stream; of the goroutine that reads frames

	tag uint64 // of the gate
	// The session guards these two. A stream that a server has taken is held by its handler and
	// by its place in the session; a listed one is counted by Streams.
	holds  int
	listed bool

	detached bool   // the handler has returned, or is about to, and releases the stream later
	after    func() // nil: nothing

	ended bool // the connection has taken FIN; the writer's lock guards it

	socket SocketSettings // that the peer has set

	mu       sync.Mutex
	readable sync.Cond // bytes have come, or none will
	writable sync.Cond // the window has room, or nothing can be written any more
	accepted bool      // the peer has taken the stream
	framing  bool      // a frame is under way, or what had to wait for it is not queued yet
	send     sendHalf
	recv     recvHalf
	deadline deadline.Deadline // of Read
	writeBy  deadline.Deadline // of Write
	overdue  *time.Timer       // of a stream that only waits for the other end; nil: none
}

// newStream returns a stream that this end opens, or has been opened by the peer.
func newStream(session *Session, id uint32) *Stream {
	size, limit, state := uint32(firstWindow), wire.MaxResult, sendOpen
	if id == session.controlID {
		size = controlWindow
	}
	if session.handle != nil {
		limit, state = wire.MaxRequest, sendUnanswered
	}
	s := &Stream{
		session: session, id: id,
		send: sendHalf{state: state, credit: firstWindow},
		recv: recvHalf{
			inbox:  inbox{memory: session.config.Received},
			window: newWindow(size), head: head{limit: limit}, came: make(chan struct{}),
		},
	}
	s.readable.L, s.writable.L = &s.mu, &s.mu
	return s
}

// widen returns by how much the window is larger than firstWindow, which goes with the first
// frame of this end.
func (s *Stream) widen() (extra uint32) {
	if s.id == s.session.controlID {
		return controlWindow - firstWindow
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recv.finished() {
		return 0
	}
	extra = s.session.growth.takeStart()
	s.recv.window.start(extra)
	return extra
}

// ID returns yamux's number of the stream.
func (s *Stream) ID() uint32 { return s.id }

// Request returns what the initiator asked for.
func (s *Stream) Request() wire.Request { return s.request }

// Lost returns a channel that is closed when the session has ended.
func (s *Stream) Lost() <-chan struct{} { return s.session.Done() }

// LostErr returns why the session has ended.
func (s *Stream) LostErr() error { return s.session.Err() }

// ClosedCleanly reports whether the session has ended because one end closed it, and the other
// end had not reset the stream before. Read then returns every byte that was sent before the
// close, and these are all that the other end wanted to send.
func (s *Stream) ClosedCleanly() bool {
	if !s.session.closedCleanly() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recv.peer == nil && s.session.signals.complete(&s.recv)
}

// Stopped returns a channel that is closed when the other end reads no more: after its stop,
// its reset or its refusal. The end of the session does not close the channel.
func (s *Stream) Stopped() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send.stopped()
}

// Reply answers the request: once, before anything is written. After a code other than ok the
// stream is closed, whatever the initiator sends. Reply fails only with the session: an
// initiator that reads no more still gets the result, and one that has reset the stream needs
// none.
func (s *Stream) Reply(result wire.Result) error {
	s.mu.Lock()
	if !s.send.startReply() {
		s.mu.Unlock()
		return nil
	}
	write := s.session.writer.frame
	if result.Code == wire.OK && s.recv.begun() {
		write = s.session.writer.later // an initiator that has written already waits for other bytes
	}
	message := result.Append(nil)
	s.send.credit -= len(message) // the first of this half, so the window has room
	s.mu.Unlock()
	err := write(newHeader(typeData, 0, s.id, uint32(len(message))), message)
	var refusal *wire.Error
	if result.Code != wire.OK {
		refusal = wire.NewError(result.Code, result.Text)
	}
	s.mu.Lock()
	action := s.send.endReply(refusal)
	s.mu.Unlock()
	s.act(action)
	if err != nil && !s.session.closedCleanly() { // what was sent before a clean close is to be delivered
		return s.session.Err()
	}
	return nil
}

// CloseWrite ends this direction after what was written: a half-close. No Write may be
// under way.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	action, err := s.send.close()
	s.mu.Unlock()
	s.act(action)
	return err
}

// CancelRead gives up reading: a Read that waits returns net.ErrClosed, and the other end is told
// to stop sending. The result of the stream's request can still be had.
func (s *Stream) CancelRead(code wire.Code) error {
	s.mu.Lock()
	tell := s.recv.stop()
	s.readable.Broadcast()
	s.mu.Unlock()
	if tell {
		s.session.signals.send(wire.StreamStop{ID: s.id, Code: code})
	}
	return nil
}

// Reset ends both directions at once. The other end gets every byte that Write took, then
// the code.
func (s *Stream) Reset(code wire.Code, text string) error {
	err := wire.NewError(code, text)
	s.mu.Lock()
	action, ok := s.send.reset(err)
	if !ok { // too late to reset what was sent; the rest is not wanted
		s.mu.Unlock()
		return s.CancelRead(code)
	}
	s.recv.drop(err)
	s.wakeLocked()
	s.mu.Unlock()
	s.act(action)
	return nil
}

// Close gives the stream up like close(2): what was written is delivered, what comes is
// dropped.
func (s *Stream) Close() error {
	err := s.CloseWrite()
	if errors.Is(err, closed.Err) {
		err = nil
	}
	_ = s.CancelRead(wire.Aborted) // never fails
	if e := (*wire.Error)(nil); errors.As(err, &e) {
		return nil // it had ended in another way before
	}
	return err
}

// act does what an event of the send half demands. It may block as Write does.
func (s *Stream) act(action sendAction) {
	if action == sendFIN {
		if err := s.session.writer.last(s); err != nil { // the session has ended
			s.session.signals.unsent(s)
		}
		s.forget()
		return
	}
	s.queue(action)
}

// queue is act that does not block: the frame is written by another goroutine.
func (s *Stream) queue(action sendAction) {
	switch action {
	case sendFIN:
		s.session.control.frame(s.finFrame())
		s.forget()
	case sendRESET:
		s.mu.Lock()
		m := wire.StreamReset{ID: s.id, Code: s.send.own.Code, Size: s.send.written, Text: s.send.own.Text}
		s.mu.Unlock()
		s.session.signals.send(m)
	case sendNothing:
	}
}

func (s *Stream) finFrame() header { return newHeader(typeWindowUpdate, flagFIN, s.id, 0) }

// wakeLocked lets every method that waits look at the state again.
func (s *Stream) wakeLocked() {
	s.readable.Broadcast()
	s.writable.Broadcast()
}

func (s *Stream) wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakeLocked()
}

// forget gives the stream back if both halves have ended.
func (s *Stream) forget() {
	s.mu.Lock()
	sent := s.send.state == sendDone
	over := sent && s.recv.finished()
	var grown, extra uint32
	if over && s.id != s.session.controlID {
		grown, extra = s.recv.window.end()
	}
	if over && s.recv.inbox.empty() {
		s.recv.inbox.lend(0)
	}
	s.mu.Unlock()
	if over {
		s.session.growth.give(grown, extra)
		s.session.remove(s)
		s.session.signals.gone(s)
	} else if sent {
		s.session.signals.sent(s)
	}
}
