package mux

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// controlID is yamux's number of the control stream: the client opens it first.
const controlID = 1

// control is the queue of messages for the other end. It is as long as there are streams with news: a few messages each.
type control struct {
	session *Session

	mu      sync.Mutex
	stream  *Stream // nil before it is open
	queue   []wire.ControlMessage
	pongs   []uint32 // answers to yamux's pings
	writing bool     // a goroutine writes
	over    bool
}

func (c *control) send(m wire.ControlMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, m)
	c.writeLocked()
}

// maxAnswers is how many messages may wait when one more is an answer that the other end has asked for: far more than there are streams, and a few MiB.
const maxAnswers = 1 << 16

// answer sends unless too many wait: whoever asks and reads nothing must not fill this end's memory.
func (c *control) answer(m wire.ControlMessage) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) >= maxAnswers {
		return false
	}
	c.queue = append(c.queue, m)
	c.writeLocked()
	return true
}

// pong answers a yamux ping unless too many wait.
func (c *control) pong(opaque uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pongs) >= maxPings {
		return false
	}
	c.pongs = append(c.pongs, opaque)
	c.writeLocked()
	return true
}

func (c *control) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// use gives the queue its stream.
func (c *control) use(stream *Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stream = stream
	c.writeLocked()
}

// workLocked tells whether there is something that can be written.
func (c *control) workLocked() bool {
	return !c.over && (len(c.pongs) > 0 || c.stream != nil && len(c.queue) > 0)
}

// writeLocked sees to it that what there is will be written, by a goroutine that ends when there is no more. An idle session has none.
func (c *control) writeLocked() {
	if !c.writing && c.workLocked() {
		c.writing = true
		c.session.tasks.Go(c.write)
	}
}

func (c *control) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.workLocked() {
		pongs, queue, stream := c.pongs, c.queue, c.stream
		c.pongs = nil
		if stream != nil {
			c.queue = nil
		}
		c.mu.Unlock()
		var b []byte
		for _, opaque := range pongs {
			h := newHeader(typePing, flagACK, 0, opaque)
			b = append(b, h[:]...)
		}
		err := error(nil)
		if len(b) > 0 {
			err = c.session.writer.frames(b)
		}
		if stream != nil && len(queue) > 0 && err == nil {
			b = b[:0]
			for _, m := range queue {
				b = m.Append(b)
			}
			err = stream.writeNow(b)
		}
		c.mu.Lock()
		if err != nil {
			break // the session has ended
		}
	}
	c.writing = false
}

// clientControl waits for the result of the control stream, then reads messages.
func (s *Session) clientControl(stream *Stream) {
	s.control.use(stream)
	result, err := stream.Result(context.Background())
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
	if stream.id != controlID {
		_ = stream.Reply(wire.Result{Code: wire.InvalidRequest, Text: "the control stream is the first stream and the only one"})
		stream.Close()
		return
	}
	if err := stream.Reply(wire.Result{}); err != nil {
		return // the session has ended
	}
	s.control.use(stream) // not before: what waits there must not overtake the result
	s.readControl(stream)
}

// readControl handles messages until the session ends. A peer that closes its control stream has broken the protocol.
func (s *Session) readControl(stream *Stream) {
	read := func(b []byte) (int, error) { return stream.receive(b, nil) }
	var partial []byte
	for {
		body, err := readMessage(read, &partial, wire.MaxControl)
		if err == nil {
			stream.consumed(2 + len(body))
			var m wire.ControlMessage
			if m, err = wire.DecodeControl(body); err == nil {
				s.handleControl(m)
				continue
			}
		}
		e, ok := err.(*wire.Error)
		if !ok {
			e = wire.NewError(wire.Protocol, "the control stream was closed")
		}
		if !s.over.Load() {
			s.conn.Fail(e)
		}
		return
	}
}

func (s *Session) handleControl(m wire.ControlMessage) {
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
	s.readable.Broadcast()
	s.mu.Unlock()
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
