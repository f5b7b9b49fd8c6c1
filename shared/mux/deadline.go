package mux

import (
	"errors"
	"time"
)

// ErrDeadline is what Read and Write return after their deadline. The stream goes on.
var ErrDeadline = errors.New("mux: the deadline has passed")

// SetReadDeadline makes Read fail with ErrDeadline from the time t on, a Read under way
// included, as net.Conn has it. The zero time sets no deadline. The deadline may be set again
// after it has passed. A stream that is given up must have none, because a timer holds it.
func (s *Stream) SetReadDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline.Set(t, &s.mu, s.readable.Broadcast)
}

// SetWriteDeadline makes Write fail with ErrDeadline where the window has no room from the time t
// on. So a Write whose deadline has passed takes what there is room for and returns. Otherwise it
// is as SetReadDeadline.
func (s *Stream) SetWriteDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeBy.Set(t, &s.mu, s.writable.Broadcast)
}

// Readable reports whether Read would return without waiting if it had no deadline.
func (s *Stream) Readable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.recv.inbox.empty() || s.recv.err() != nil || s.session.over.Load()
}
