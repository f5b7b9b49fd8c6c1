package mux

import (
	"context"

	"github.com/sockmux/sockmux/shared/wire"
)

// CloseStreams ends the streams of this end as the end of a program does, before the session is
// closed. A stream whose bytes were all taken by Write ends with FIN; what comes for it is
// dropped. A stream with a Write under way is reset with the code aborted, so what the other
// end has of it never looks complete. Such a Write returns with an error. The control stream
// stays open.
//
// CloseStreams returns when the connection has taken all that, or the context ends.
func (s *Session) CloseStreams(ctx context.Context) error {
	s.mu.Lock()
	streams := make([]*Stream, 0, len(s.streams))
	for _, stream := range s.streams {
		if !stream.control {
			streams = append(streams, stream)
		}
	}
	s.mu.Unlock()
	for _, stream := range streams {
		stream.leave()
	}
	for _, stream := range streams {
		stream.settle(ctx)
	}
	return s.control.flush(ctx)
}

// settle blocks until no frame is under way and what had to wait for one is queued, or the
// context has ended: a RESET behind a frame must come before the end of the session.
func (s *Stream) settle(ctx context.Context) {
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.framing && ctx.Err() == nil && !s.session.over.Load() {
		s.writable.Wait()
	}
}

// leave is Close, or Reset if a Write is under way. It does not block.
func (s *Stream) leave() {
	s.mu.Lock()
	action := sendNothing
	if s.send.work == workNone {
		action, _ = s.send.close() // if it has ended in another way, nothing is left to do
	} else {
		err := wire.NewError(wire.Aborted, "closed with a write under way")
		action, _ = s.send.reset(err) // as above
		s.recv.drop(err)
	}
	s.wakeLocked()
	s.mu.Unlock()
	s.queue(action)
	_ = s.CancelRead(wire.Aborted) // never fails
}
