package mux

import "github.com/sockmux/sockmux/shared/closed"

// Sizes of a frame. What stands behind a frame waits for the whole of it, so a frame carries at
// most MaxFrame bytes, unless it is a bare message. Below minFrame its header would count.
const (
	MaxFrame = 64 << 10
	minFrame = 4 << 10
)

// Write takes bytes and waits until the session has taken them. After a reset, a stop or a
// refusal of the other end it returns that as a *wire.Error.
func (s *Stream) Write(b []byte) (int, error) {
	total := 0
	waits := len(b)
	s.session.config.Written.Hold(waits)
	defer s.session.config.Written.Hold(-waits)
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

// writeFrame sends the first part of b: when the other end takes it, and when it is this
// stream's turn.
func (s *Stream) writeFrame(b []byte) (int, error) {
	most, err := s.startFrame(min(len(b), s.session.frame()))
	if err != nil {
		return 0, err
	}
	n, next := 0, workNone
	if err = closed.Err; s.session.gate.enter(&s.tag, most) {
		if err = s.session.writer.frame(newHeader(typeData, 0, s.id, uint32(most)), b[:most]); err == nil {
			n = most
		}
		s.session.gate.leave()
	}
	if n < len(b) && err == nil {
		next = workWaiting
	}
	return n, s.endFrame(most, n, next, err)
}

// Fill writes bytes that put makes, without a copy: put gets the memory from which the bytes
// are sent and returns how many it has put there. put must not block and must not call the
// session. Fill blocks as Write does; it calls put at most once.
func (s *Stream) Fill(put func(b []byte) int) error {
	most, err := s.startFrame(max(s.session.frame(), s.session.conn.Bare()))
	if err != nil {
		return err
	}
	n := 0
	if err = closed.Err; s.session.gate.enter(&s.tag, most) {
		n, err = s.session.writer.fill(s.id, most, put)
		s.session.gate.leave()
	}
	return s.endFrame(most, n, workNone, err)
}

// startFrame waits for the window and returns how many of n bytes go into one frame. endFrame
// follows.
func (s *Stream) startFrame(n int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send.work = workWaiting
	if err := s.waitWindowLocked(); err != nil {
		s.send.work = workNone
		return 0, err
	}
	n = min(n, s.send.credit)
	s.send.credit -= n
	s.send.work = workFrame
	s.framing = true
	return n, nil
}

// endFrame notes that n bytes of most were sent. next is what the Write does then.
func (s *Stream) endFrame(most, n int, next sendWork, err error) error {
	s.mu.Lock()
	action := s.send.endFrame(n, next)
	s.send.credit += most - n
	s.mu.Unlock()
	s.act(action)
	s.mu.Lock()
	s.framing = false
	s.writable.Broadcast()
	s.mu.Unlock()
	if err != nil {
		return s.session.Err() // a connection refuses bytes only at its end
	}
	return nil
}

func (s *Stream) waitWindowLocked() error {
	for s.send.credit <= 0 && s.send.err() == nil && !s.session.over.Load() && !s.writeBy.Passed() {
		s.writable.Wait()
	}
	if err := s.send.err(); err != nil {
		return err
	}
	if s.session.over.Load() {
		return s.session.Err()
	}
	if s.send.credit <= 0 {
		return ErrDeadline
	}
	return nil
}

// writeNow sends messages of the control stream: they wait for no turn.
func (s *Stream) writeNow(b []byte) error {
	for len(b) > 0 {
		s.mu.Lock()
		if err := s.waitWindowLocked(); err != nil {
			s.mu.Unlock()
			return err
		}
		part := b[:min(len(b), MaxFrame, s.send.credit)]
		s.send.credit -= len(part)
		s.mu.Unlock()
		if err := s.session.writer.frame(newHeader(typeData, 0, s.id, uint32(len(part))), part); err != nil {
			return s.session.Err()
		}
		b = b[len(part):]
	}
	return nil
}
