package mux

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// controlID is yamux's number of the control stream: the client opens it first.
const controlID = 1

var background = context.Background()

// control is the queue of messages for the other end. It is as long as there are streams with news: a few messages each.
type control struct {
	mu     sync.Mutex
	change *sync.Cond
	stream *Stream // nil before it is open
	queue  []wire.ControlMessage
	over   bool
}

func (c *control) init() { c.change = sync.NewCond(&c.mu) }

func (c *control) send(m wire.ControlMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, m)
	c.change.Signal()
}

// maxAnswers is how many messages may wait when one more is an answer that the other end has asked for: far more than there are streams, and a few MiB.
const maxAnswers = 1 << 16

// answer sends unless too many wait: whoever asks and reads nothing must not fill this end's memory.
func (c *control) answer(m wire.ControlMessage) bool {
	c.mu.Lock()
	full := len(c.queue) >= maxAnswers
	c.mu.Unlock()
	if full {
		return false
	}
	c.send(m)
	return true
}

func (c *control) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.change.Broadcast()
}

// use gives the queue its stream; it returns false if it has one.
func (c *control) use(stream *Stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream != nil {
		return false
	}
	c.stream = stream
	c.change.Signal()
	return true
}

// writeControl is the goroutine that writes the messages; it ends with the session.
func (s *Session) writeControl() {
	c := &s.control
	for {
		c.mu.Lock()
		for !c.over && (c.stream == nil || len(c.queue) == 0) {
			c.change.Wait()
		}
		queue, stream := c.queue, c.stream
		c.queue = nil
		over := c.over
		c.mu.Unlock()
		if over {
			return
		}
		var b []byte
		for _, m := range queue {
			b = m.Append(b)
		}
		if _, err := stream.yamux.Write(b); err != nil {
			return // the session has ended
		}
	}
}

// clientControl waits for the result of the control stream, then reads messages.
func (s *Session) clientControl(stream *Stream) {
	s.control.use(stream)
	result, err := stream.Result(background)
	if err == nil {
		err = result.Err()
		if err != nil {
			s.conn.Fail(wire.NewError(wire.Protocol, "the server refused the control stream: "+result.Text))
		}
	}
	if err == nil {
		s.readControl(stream)
	}
}

// serverControl answers the client's control stream, then reads messages.
func (s *Session) serverControl(stream *Stream) {
	if stream.ID() != controlID || !s.control.use(stream) {
		_ = stream.Reply(wire.Result{Code: wire.InvalidRequest, Text: "the control stream is the first stream and the only one"})
		stream.Close()
		return
	}
	if err := stream.Reply(wire.Result{}); err != nil {
		return // the session has ended
	}
	s.readControl(stream)
}

// readControl handles messages until the session ends. A peer that closes its control stream has broken the protocol.
func (s *Session) readControl(stream *Stream) {
	var partial []byte
	for {
		body, err := readMessage(stream.yamux, &partial, wire.MaxControl)
		if err == nil {
			var m wire.ControlMessage
			if m, err = wire.DecodeControl(body); err == nil {
				s.handle(m)
				continue
			}
		}
		e, ok := err.(*wire.Error)
		if !ok {
			e = wire.NewError(wire.Protocol, "the control stream was closed")
		}
		if !s.yamux.IsClosed() {
			s.conn.Fail(e)
		}
		return
	}
}

func (s *Session) handle(m wire.ControlMessage) {
	switch m := m.(type) {
	case wire.StreamReset:
		s.about(m.ID, func(stream *Stream) { stream.resetByPeer(m) }) // first: FIN may follow RESET-DONE at once
		if !s.control.answer(wire.StreamResetDone{ID: m.ID}) {
			s.conn.Fail(wire.NewError(wire.Protocol, "too many resets wait for the answers to be read"))
		}
	case wire.StreamResetDone:
		s.about(m.ID, (*Stream).resetDone)
	case wire.StreamStop:
		s.about(m.ID, func(stream *Stream) { stream.stoppedByPeer(m.Code) })
	case wire.Drain:
		if s.config.OnDrain != nil {
			s.config.OnDrain(m.In, m.Text)
		}
	case wire.Notice:
		if s.config.OnNotice != nil {
			s.config.OnNotice(m.Level, m.Code, m.Text)
		}
	}
}

// resetByPeer: the reader gets the rest, then the code; this direction ends.
func (s *Stream) resetByPeer(m wire.StreamReset) {
	err := wire.NewError(m.Code, m.Text)
	s.mu.Lock()
	s.theirs = &reset{err: err, size: m.Size}
	s.failLocked(err)
	end := s.settleLocked()
	s.mu.Unlock()
	s.yamux.SetWriteDeadline(past)
	s.yamux.SetReadDeadline(past)
	if end {
		s.end()
	}
}

// resetDone: the other end knows of this end's reset, so FIN cannot be mistaken for a clean end.
func (s *Stream) resetDone() {
	s.mu.Lock()
	mine := s.mine != nil
	s.mu.Unlock()
	if mine {
		s.end()
	}
}

// stoppedByPeer: nobody reads what this end sends; it ends its direction.
func (s *Stream) stoppedByPeer(code wire.Code) {
	s.mu.Lock()
	s.failLocked(wire.NewError(code, "the other end reads no more"))
	end := s.settleLocked()
	s.mu.Unlock()
	s.yamux.SetWriteDeadline(past)
	if end {
		s.end()
	}
}

// Drain tells the client that the server goes away.
func (s *Session) Drain(in time.Duration, text string) {
	s.control.send(wire.Drain{In: in, Text: text})
}

// Notify sends the client a text for people.
func (s *Session) Notify(level wire.Level, code wire.Code, text string) {
	s.control.send(wire.Notice{Level: level, Code: code, Text: text})
}
