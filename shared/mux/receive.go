package mux

import (
	"bufio"
	"io"
	"math"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// leastBody is the shortest frame that may come as a payload.
const leastBody = 32 << 10

// receive reads n bytes of a data frame. The goroutine that reads frames calls it. bad is what
// the peer has done wrong, err the end of the connection.
func (s *Stream) receive(from *bufio.Reader, n int) (bad *wire.Error, err error) {
	s.mu.Lock()
	allowed := s.recv.window.receive(uint32(n))
	s.mu.Unlock()
	if !allowed {
		return violation("stream " + decimal(s.id) + " has sent more than its window"), nil
	}
	for n > 0 && s.wantsHead() {
		m, message, bad, err := s.recv.head.fill(from, n)
		n -= m
		if err != nil {
			return nil, err
		}
		if bad != nil || message != nil {
			if bad := s.headCame(message, bad); bad != nil {
				return bad, nil
			}
		}
	}
	if s.control && n > 0 {
		return s.session.receiveControl(s, from, n)
	}
	err = s.fill(from, n)
	if err != nil && s.session.closedCleanly() {
		s.cutShort()
	}
	return nil, err
}

// cutShort notes that the peer has closed the session inside a frame of the stream. What came
// before is all that there is, and not all that the peer wanted to send.
func (s *Stream) cutShort() {
	s.peerReset(wire.StreamReset{ID: s.id, Code: wire.Aborted, Size: math.MaxUint64, Text: "the session was closed inside a frame"})
}

func (s *Stream) wantsHead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.recv.wantsHead()
}

// keeps reports whether bytes that come now need memory. A request does not, so that a session
// that holds its share is refused new streams in place of waiting with them.
func (s *Stream) keeps() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.control && !s.recv.wantsHead() && !s.recv.drops()
}

// headCame notes the first message, or what is wrong with it. An initiator cannot answer that,
// an acceptor does so when it takes the stream.
func (s *Stream) headCame(message []byte, malformed *wire.Error) (bad *wire.Error) {
	if s.session.handle == nil {
		return s.resultCame(message, malformed)
	}
	if malformed == nil {
		var err error
		if s.request, err = wire.DecodeRequest(message); err != nil {
			malformed = err.(*wire.Error)
		}
	} else {
		malformed = wire.NewError(wire.InvalidRequest, malformed.Text)
	}
	s.malformed = malformed
	s.socket.Set(s.request.Socket)
	s.control = malformed == nil && s.request.Kind == wire.Control && s.id == s.session.controlID
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recv.window.consumed += uint32(2 + len(message)) // too few for an update
	s.recv.headCame()
	return nil
}

// resultCame notes the result of this end's request.
func (s *Stream) resultCame(message []byte, malformed *wire.Error) (bad *wire.Error) {
	if malformed != nil {
		return malformed
	}
	result, err := wire.DecodeResult(message)
	if err != nil {
		return err.(*wire.Error)
	}
	if s.control && result.Code != wire.OK {
		return violation("the server refused the control stream: " + result.Text)
	}
	s.mu.Lock()
	s.result = result
	s.recv.window.consumed += uint32(2 + len(message)) // too few for an update
	s.recv.headCame()
	action := sendNothing
	if result.Code != wire.OK {
		refusal := wire.NewError(result.Code, result.Text)
		s.recv.refused(refusal)
		action = s.send.peerGone(refusal)
		s.wakeLocked()
	}
	s.mu.Unlock()
	s.queue(action)
	return nil
}

// fill puts n bytes into the inbox. It holds the stream's lock only to find room, so that no
// reader waits for what has not arrived.
func (s *Stream) fill(from *bufio.Reader, n int) error {
	for n > 0 {
		if n >= leastBody && from.Buffered() == 0 {
			body, err := s.session.conn.ReadBody(n)
			if err != nil {
				return err
			}
			if body != nil {
				n -= body.Len()
				s.put(body)
				continue
			}
		}
		s.mu.Lock()
		if s.recv.drops() {
			s.mu.Unlock()
			_, err := io.CopyN(io.Discard, from, int64(n))
			return err
		}
		room := s.recv.inbox.room(n)
		s.mu.Unlock()
		m, err := from.Read(room)
		s.mu.Lock()
		s.recv.inbox.filled(m)
		if s.recv.drops() {
			s.recv.inbox.drop()
		}
		s.readable.Signal()
		s.mu.Unlock()
		if n -= m; err != nil && n > 0 {
			return err
		}
	}
	return nil
}

// put takes a payload that has come.
func (s *Stream) put(body buffer.Payload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recv.drops() {
		body.Release()
		return
	}
	s.recv.inbox.put(body)
	s.readable.Signal()
}

// finished is the peer's FIN. It returns false if that had come before.
func (s *Stream) finished() bool {
	s.mu.Lock()
	first := s.recv.fin()
	s.readable.Broadcast()
	s.mu.Unlock()
	s.forget()
	return first
}

// rejected is yamux's RST. Nothing is left of the stream.
func (s *Stream) rejected() {
	s.taken()
	err := s.session.signals.rejection()
	s.mu.Lock()
	s.send.rejected(err)
	s.recv.rejected(err)
	s.wakeLocked()
	s.mu.Unlock()
	s.forget()
}

// mayWrite is a window update of the peer: it takes n more bytes.
func (s *Stream) mayWrite(n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send.credit += int(n)
	s.writable.Signal()
}

// taken is yamux's ACK: the peer has taken the stream.
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

// peerReset is RESET of the peer: Read returns the bytes before it, then its code.
func (s *Stream) peerReset(m wire.StreamReset) {
	err := wire.NewError(m.Code, m.Text)
	s.mu.Lock()
	s.recv.peerReset(err, m.Size)
	action := s.send.peerGone(err)
	s.wakeLocked()
	s.mu.Unlock()
	s.queue(action)
}

// resetDone is RESET-DONE of the peer.
func (s *Stream) resetDone() {
	s.mu.Lock()
	action := s.send.resetDone()
	s.mu.Unlock()
	s.queue(action)
}

// peerStopped is STOP of the peer.
func (s *Stream) peerStopped(code wire.Code) {
	s.mu.Lock()
	action := s.send.peerStopped(wire.NewError(code, "the other end reads no more"))
	s.wakeLocked()
	s.mu.Unlock()
	s.queue(action)
}
