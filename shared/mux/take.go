package mux

import (
	"context"
	"errors"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// requestTimeout is how long an acceptor waits for the request of a stream. Initiators
	// send it at once; one that does not holds a goroutine.
	requestTimeout = 30 * time.Second
	// maxTaking is how many streams are taken at once. Where the other end reads nothing,
	// their goroutines wait for the writing of their first frame.
	maxTaking = 16
)

// takeLocked gives streams that wait to handlers, as many as there is room for.
func (s *Session) takeLocked() {
	for len(s.waiting) > 0 && s.taking < maxTaking && (s.config.MaxStreams == nil || s.held < s.config.MaxStreams()) {
		stream := s.waiting[0]
		s.waiting[0] = nil
		if s.waiting = s.waiting[1:]; len(s.waiting) == 0 {
			s.waiting = nil
		}
		s.taking++
		s.held++
		if s.streams[stream.id] == stream { // else both directions have ended meanwhile
			s.listed++
			stream.listed = true
		}
		s.tasks.Go(func() { s.take(stream) })
	}
}

// take is the goroutine of one stream of the other end.
func (s *Session) take(stream *Stream) {
	// It goes with the result, unless that takes its time: a page pays for each message.
	err := s.writer.later(newHeader(typeWindowUpdate, flagACK, stream.id, stream.widen()), nil)
	s.mu.Lock()
	s.taking--
	s.takeLocked()
	s.mu.Unlock()
	if err == nil || s.closedCleanly() { // what was sent before the close is delivered
		s.answer(stream)
	}
	if !stream.detached {
		stream.release()
	}
}

// Detach lets a handler return before it has done with the stream, and its goroutine with
// it: a stream waits most of its time, and goroutines of its own can do that with less
// stack. Only the handler may call it. It calls release when it has done with the stream.
func (s *Stream) Detach() (release func()) {
	s.detached = true
	s.session.tasks.Add(1) // the handler's own task is still counted
	return func() {
		defer s.session.tasks.Done()
		s.release()
	}
}

// After calls f when the handler has done with the stream, detached or not. Only the
// handler may call it, and once.
func (s *Stream) After(f func()) { s.after = f }

func (s *Stream) release() {
	if s.after != nil {
		s.after()
	}
	s.session.mu.Lock()
	defer s.session.mu.Unlock()
	s.releaseLocked()
}

// answer waits for the request of a stream and hands the stream on.
func (s *Session) answer(stream *Stream) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	err := stream.waitHead(ctx)
	cancel()
	refusal := stream.malformed
	switch {
	case err != nil:
		refusal = wire.NewError(wire.InvalidRequest, "the stream began without a request: "+err.Error())
	case refusal == nil && stream.request.Kind == wire.Control && s.controlID != 0: // else as any kind that is unknown
		s.unlist(stream)
		if stream.id == s.controlID {
			_ = stream.Reply(wire.Result{}) // fails only with the session
			s.control.use(stream)           // not before: what waits there must not overtake the result
			return
		}
		refusal = wire.NewError(wire.InvalidRequest, "the control stream is the first stream and the only one")
	}
	if refusal != nil {
		_ = stream.Reply(wire.Result{Code: refusal.Code, Text: refusal.Text}) // the stream is over either way
		_ = stream.Close()                                                    // as above
		return
	}
	s.handle(s.life, stream)
}

func (s *Session) closedCleanly() bool { return errors.Is(s.conn.Err(), wire.NewError(wire.OK, "")) }
