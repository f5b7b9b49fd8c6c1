package mux

import (
	"context"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// Farewell returns the frames that end a session behind everything that its Conn has taken:
// what was not written yet, an RST for each stream of which this end has not sent all, and
// GoAway. Without its RST a client would take a stream for complete that ends with its
// connection. Farewell is called behind the end of the Conn.
func (s *PlainSession) Farewell(err *wire.Error) []byte {
	resets := s.resets() // first: a reset that comes now has its frame among the others
	return slices.Concat(s.control.unwritten(), resets, GoAway(err))
}

// resets returns an RST for each stream of which this end has not sent all.
func (s *Session) resets() (frames []byte) {
	s.writer.mu.Lock()
	defer s.writer.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, stream := range s.streams {
		if !stream.ended {
			h := newHeader(typeWindowUpdate, flagRST, id, 0)
			frames = append(frames, h[:]...)
		}
	}
	return frames
}

// unsent implements signals. The frame waits for Farewell.
func (p *plain) unsent(s *Stream) {
	p.session.control.frame(newHeader(typeWindowUpdate, flagRST, s.id, 0))
}

// unwritten returns the frames that the connection has not taken. It is called behind the
// end of the connection, so no write blocks any more.
func (c *control) unwritten() []byte {
	_ = c.flush(context.Background()) // never fails
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.frames)
}

// GoAway returns the yamux frame that says why a session ends: a violation of the
// protocol, an error of this end, or the usual end.
func GoAway(err *wire.Error) []byte {
	reason := uint32(goAwayNormal)
	switch err.Code {
	case wire.Protocol:
		reason = goAwayProtocol
	case wire.Internal:
		reason = goAwayInternal
	default:
	}
	h := newHeader(typeGoAway, 0, 0, reason)
	return h[:]
}

// The reasons of a GoAway frame.
const (
	goAwayNormal   = 0
	goAwayProtocol = 1
	goAwayInternal = 2
)
