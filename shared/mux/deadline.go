package mux

import (
	"errors"
	"time"
)

// ErrDeadline is what Read returns after the read deadline. The stream goes on.
var ErrDeadline = errors.New("mux: the read deadline has passed")

// SetReadDeadline makes Read fail with ErrDeadline from the time t on, a Read under way
// included, as net.Conn has it. The zero time sets no deadline. The deadline may be set again
// after it has passed. A stream that is given up must have none, because a timer holds it.
func (s *Stream) SetReadDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline.Set(t, &s.mu, s.readable.Broadcast)
}
