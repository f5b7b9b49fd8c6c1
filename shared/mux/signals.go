package mux

import (
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// signals is what a session does where yamux's frames leave a choice. The control stream
// is one way, plain yamux the other. No method blocks.
type signals interface {
	// send tells the other end something, as far as it can be told.
	send(m wire.ControlMessage)
	// sent is called behind the FIN of a stream of which the other end's FIN has not
	// come.
	sent(s *Stream)
	// gone is called once both halves of a stream have ended.
	gone(s *Stream)
	// unsent is called where the connection has ended before the FIN of a stream.
	unsent(s *Stream)
	// reject refuses a stream beyond the backlog. If it returns false, the session ends.
	reject(id uint32) bool
	// rejection returns what yamux's RST means.
	rejection() *wire.Error
	// complete reports whether a half has all of its bytes when the session is closed
	// cleanly. The stream's lock is held.
	complete(h *recvHalf) bool
	// answered is called for the answer to a yamux ping.
	answered(opaque uint32)
	// rtt returns the round trip time, 0 if it is not known.
	rtt() time.Duration
}

var _ signals = (*control)(nil)

// sent implements signals: the other end has the STOP.
func (c *control) sent(*Stream) {}

// gone implements signals.
func (c *control) gone(*Stream) {}

// unsent implements signals: the other end knows its streams to be cut.
func (c *control) unsent(*Stream) {}

// reject implements signals: an initiator of version 1 waits at the backlog.
func (c *control) reject(uint32) bool { return false }

// rejection implements signals.
func (c *control) rejection() *wire.Error { return errRejected }

// complete implements signals: what is incomplete has a RESET.
func (c *control) complete(*recvHalf) bool { return true }

// answered implements signals: no end of version 1 sends a yamux ping.
func (c *control) answered(uint32) {}

// rtt implements signals.
func (c *control) rtt() time.Duration { return c.session.conn.RTT() }
