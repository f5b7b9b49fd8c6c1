package mux

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// PlainServer is Server for a client that has a yamux library and nothing else
// (docs/PROTOCOL.md, section 9): no stream is a control stream. So these differ:
//
//   - Reset and the client's reset are yamux's RST, which may destroy what was not read yet.
//   - CancelRead tells the client nothing. A client that has not ended its direction within
//     half a minute of this end's FIN gets RST.
//   - Drain and Notify tell the client nothing: at a GoAway some libraries end every
//     stream, as if it were complete.
//   - A stream beyond the backlog gets RST, and the session goes on.
//   - A clean close completes the streams that had FIN before. The others are incomplete.
//
// Conn.RTT is not used: Ping measures the round trip.
func PlainServer(conn Conn, config Config, handle func(context.Context, *Stream)) (*PlainSession, error) {
	s := &PlainSession{Session: newSession(conn, config)}
	s.plain.session = s.Session
	s.signals, s.controlID = &s.plain, 0
	s.serve(handle)
	return s, nil
}

// PlainSession is the acceptor's end of PlainServer.
type PlainSession struct {
	*Session
	plain plain
}

// Ping asks the client for a frame that it has to answer. While an answer is awaited,
// Ping does nothing.
func (s *PlainSession) Ping() { s.plain.ping() }

// RTT returns the round trip time of the last pings, smoothed; 0 if it is not known.
func (s *PlainSession) RTT() time.Duration { return s.plain.rtt() }

// unreadTime is how long a stream may last of which this end reads no more and has sent
// all. An RST at once would destroy what the client has not read yet.
const unreadTime = 30 * time.Second

// errPlainReset is what RST of a plain client means.
var errPlainReset = wire.NewError(wire.Aborted, "the client has reset the stream")

// plain is signals by yamux alone.
type plain struct {
	session *Session

	mu       sync.Mutex
	opaque   uint32    // of the last ping
	pinged   time.Time // when it was sent; zero: it is answered
	smoothed time.Duration
}

// send implements signals.
func (p *plain) send(m wire.ControlMessage) {
	switch m := m.(type) {
	case wire.StreamReset:
		p.session.about(m.ID, p.reset)
	case wire.StreamStop:
		p.session.about(m.ID, p.sent)
	default:
	}
}

// reset sends RST for a stream that Reset has ended, and forgets it.
func (p *plain) reset(s *Stream) {
	p.session.control.frame(newHeader(typeWindowUpdate, flagRST, s.id, 0))
	s.mu.Lock()
	s.send.resetDone()
	s.recv.fin()
	s.wakeLocked()
	s.mu.Unlock()
	s.forget()
}

// sent implements signals: it bounds the life of a stream that this end has done with.
func (p *plain) sent(s *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overdue == nil && s.unreadLocked() {
		s.overdue = time.AfterFunc(unreadTime, func() { p.expire(s) })
	}
}

// gone implements signals: the timer holds the stream.
func (p *plain) gone(s *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overdue != nil {
		s.overdue.Stop()
	}
}

// expire resets a stream that this end has done with, if it is still there.
func (p *plain) expire(s *Stream) {
	s.mu.Lock()
	unread := s.unreadLocked()
	s.mu.Unlock()
	if unread {
		p.reset(s)
	}
}

// unreadLocked reports whether this end has ended its direction, reads no more and waits
// for nothing but the other end's FIN.
func (s *Stream) unreadLocked() bool {
	return s.send.state == sendDone && (s.recv.state == recvHeadStopped || s.recv.state == recvStopped)
}

// reject implements signals.
func (p *plain) reject(id uint32) bool {
	return p.session.control.answerFrame(newHeader(typeWindowUpdate, flagRST, id, 0))
}

// rejection implements signals.
func (p *plain) rejection() *wire.Error { return errPlainReset }

// complete implements signals: without its FIN a stream may have lost any number of
// bytes.
func (p *plain) complete(h *recvHalf) bool { return h.finished() }

// ping sends a ping unless one waits for its answer.
func (p *plain) ping() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.pinged.IsZero() {
		return
	}
	p.opaque++
	p.pinged = time.Now()
	p.session.control.frame(newHeader(typePing, flagSYN, 0, p.opaque))
}

// answered implements signals.
func (p *plain) answered(opaque uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pinged.IsZero() || opaque != p.opaque {
		return // no answer to a ping of this end
	}
	took := max(time.Since(p.pinged), 1)
	p.pinged = time.Time{}
	if p.smoothed == 0 {
		p.smoothed = took
	}
	p.smoothed += (took - p.smoothed) / 8 // RFC 6298, section 2.3
}

// rtt implements signals.
func (p *plain) rtt() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.smoothed
}
