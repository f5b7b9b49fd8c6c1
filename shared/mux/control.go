package mux

import (
	"bufio"
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// controlID is yamux's number of the control stream: the client opens it first.
const controlID = 1

// control is the control stream: the message that is coming in, and the queue of what is to be
// sent by a goroutine of its own. The queue is as long as there are streams with news: a few
// messages each.
type control struct {
	session  *Session
	incoming head // of the goroutine that reads frames

	mu      sync.Mutex
	stream  *Stream // nil before it is open
	queue   []wire.ControlMessage
	frames  []byte        // of any stream, which the goroutine that reads frames may not write itself
	pongs   int           // how many of them are answers to yamux's pings
	writing bool          // a goroutine writes
	idle    chan struct{} // closed when it has written all; nil: it has, or none waits for that
	over    bool
}

func (c *control) send(m wire.ControlMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = append(c.queue, m)
	c.writeLocked()
}

// maxAnswers is how many messages may wait when one more is an answer that the other end
// has asked for: far more than there are streams, and a few MiB.
const maxAnswers = 1 << 16

// answer sends unless too many wait: a peer that asks and reads nothing must not fill the
// memory of this end.
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
	if c.pongs >= maxPings {
		return false
	}
	c.pongs++
	c.frameLocked(newHeader(typePing, flagACK, 0, opaque))
	return true
}

// answerFrame queues a frame that the other end has caused, unless too many wait.
func (c *control) answerFrame(h header) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.frames) >= maxAnswers*headerSize {
		return false
	}
	c.frameLocked(h)
	return true
}

// frame queues a frame without a body.
func (c *control) frame(h header) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frameLocked(h)
}

func (c *control) frameLocked(h header) {
	c.frames = append(c.frames, h[:]...)
	c.writeLocked()
}

// flush waits until all that was queued is written, or the context ends.
func (c *control) flush(ctx context.Context) error {
	c.mu.Lock()
	if !c.writing {
		c.mu.Unlock()
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	idle := c.idle
	c.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
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

// workLocked reports whether there is something that can be written.
func (c *control) workLocked() bool {
	return !c.over && (len(c.frames) > 0 || c.stream != nil && len(c.queue) > 0)
}

// writeLocked starts the goroutine that writes, if there is anything to write. The goroutine
// ends when there is no more, so an idle session has none.
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
		frames, queue, stream := c.frames, c.queue, c.stream
		c.frames, c.pongs = nil, 0
		if stream != nil {
			c.queue = nil
		}
		c.mu.Unlock()
		err := error(nil)
		if len(frames) > 0 {
			err = c.session.writer.frames(frames)
		}
		refused := err != nil
		if stream != nil && len(queue) > 0 && err == nil {
			var b []byte
			for _, m := range queue {
				b = m.Append(b)
			}
			err = stream.writeNow(b)
		}
		c.mu.Lock()
		if refused {
			c.frames = append(frames, c.frames...)
		}
		if err != nil {
			break // the session has ended
		}
	}
	c.writing = false
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// receiveControl reads n bytes of the control stream and handles the messages in them. It runs
// in the goroutine that reads frames, so a message about a stream comes in order with the
// stream's frames, and with the end of the session.
func (s *Session) receiveControl(stream *Stream, from *bufio.Reader, n int) (bad *wire.Error, err error) {
	for n > 0 {
		m, message, bad, err := s.control.incoming.fill(from, n)
		n -= m
		if bad != nil || err != nil {
			return bad, err
		}
		if message == nil {
			continue
		}
		decoded, err := wire.DecodeControl(message)
		if err != nil {
			return err.(*wire.Error), nil
		}
		if bad := s.handleControl(decoded); bad != nil {
			return bad, nil
		}
		if h, _, due := stream.windowUpdate(2 + len(message)); due {
			s.control.frame(h)
		}
	}
	return nil, nil
}

func (s *Session) handleControl(m wire.ControlMessage) (bad *wire.Error) {
	switch m := m.(type) {
	case wire.StreamReset:
		s.about(m.ID, func(stream *Stream) { stream.peerReset(m) }) // first: FIN may follow RESET-DONE at once
		if !s.control.answer(wire.StreamResetDone{ID: m.ID}) {
			return violation("too many resets wait for the answers to be read")
		}
	case wire.StreamResetDone:
		s.about(m.ID, (*Stream).resetDone)
	case wire.StreamStop:
		s.about(m.ID, func(stream *Stream) { stream.peerStopped(m.Code) })
	case wire.StreamSocket:
		s.about(m.ID, func(stream *Stream) { stream.socket.Set(m.Options) })
	case wire.Drain:
		if s.config.OnDrain != nil {
			s.config.OnDrain(m.In, m.Text)
		}
	case wire.Notice:
		if s.config.OnNotice != nil {
			s.config.OnNotice(m.Level, m.Code, m.Text)
		}
	}
	return nil
}

// Drain tells the client that the server goes away.
func (s *Session) Drain(in time.Duration, text string) {
	s.signals.send(wire.Drain{In: in, Text: text})
}

// Notify sends the client a text for people.
func (s *Session) Notify(level wire.Level, code wire.Code, text string) {
	s.signals.send(wire.Notice{Level: level, Code: code, Text: text})
}
