package mux

import (
	"context"
	"math"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// Open sends a request on a new stream. It waits for no answer, only while 256 streams
// were not taken by the other end. Bytes may be written at once; Result tells the answer.
// The caller owns the stream and must close or reset it.
func (s *Session) Open(request wire.Request) (*Stream, error) {
	return s.OpenContext(context.Background(), request)
}

// OpenContext is Open that waits until ctx ends, whose error it returns then.
func (s *Session) OpenContext(ctx context.Context, request wire.Request) (*Stream, error) {
	message, err := request.Append(nil)
	if err != nil {
		return nil, err
	}
	select {
	case s.unanswered <- struct{}{}:
	case <-s.done:
		return nil, s.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	stream, err := s.begin(request)
	if err != nil {
		<-s.unanswered
		return nil, err
	}
	syn := newHeader(typeWindowUpdate, flagSYN, stream.id, stream.widen())
	first := newHeader(typeData, 0, stream.id, uint32(len(message)))
	stream.send.credit -= len(message) // no other goroutine has the stream yet
	if err := s.writer.frames(slices.Concat(syn[:], first[:], message)); err != nil {
		s.remove(stream)
		return nil, s.Err()
	}
	return stream, nil
}

// begin makes a stream of this end. The request is yet to be sent.
func (s *Session) begin(request wire.Request) (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() || s.away.Load() || s.nextID > math.MaxUint32-2 {
		return nil, s.Err()
	}
	stream := newStream(s, s.nextID)
	stream.request = request
	stream.control = request.Kind == wire.Control && stream.id == s.controlID
	s.nextID += 2
	s.streams[stream.id] = stream
	if request.Kind != wire.Control {
		s.listed++
		stream.listed = true
	}
	return stream, nil
}
