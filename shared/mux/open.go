package mux

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// Open sends a request on a new stream. It waits for no answer, only while 256 streams were not taken by the other end. Bytes may be written at once; Result
// tells the answer. The caller owns the stream and must close or reset it.
func (s *Session) Open(request wire.Request) (*Stream, error) {
	stream, err := s.open(request)
	if err != nil {
		return nil, err
	}
	stream.request = request
	return stream, nil
}

func (s *Session) open(request wire.Request) (*Stream, error) {
	message, err := request.Append(nil)
	if err != nil {
		return nil, err
	}
	select {
	case s.unanswered <- struct{}{}:
	case <-s.done:
		return nil, s.Err()
	}
	stream, err := s.begin(request.Kind)
	if err != nil {
		<-s.unanswered
		return nil, err
	}
	extra := uint32(0)
	if stream.id == controlID {
		extra = controlWindow - firstWindow
	}
	syn, first := newHeader(typeWindowUpdate, flagSYN, stream.id, extra), newHeader(typeData, 0, stream.id, uint32(len(message)))
	stream.windowOut -= len(message) // nobody else has the stream yet
	if err := s.writer.frames(slices.Concat(syn[:], first[:], message)); err != nil {
		s.remove(stream)
		return nil, s.Err()
	}
	return stream, nil
}

// begin makes a stream of this end. The request is yet to be sent.
func (s *Session) begin(kind wire.Kind) (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() || s.away.Load() || s.nextID > math.MaxUint32-2 {
		return nil, s.Err()
	}
	stream := newStream(s, s.nextID)
	s.nextID += 2
	s.streams[stream.id] = stream
	if kind != wire.Control {
		s.listed++
		stream.listed = true
	}
	return stream, nil
}

// Result waits for the answer to the request, until the context ends. After a code other than ok the stream is closed. It may be called any number of times.
func (s *Stream) Result(ctx context.Context) (wire.Result, error) {
	s.resultMu.Lock()
	defer s.resultMu.Unlock()
	if s.answered {
		return s.result, nil
	}
	late := false
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { s.interrupt(&late) })
		defer stop()
	}
	result, err := s.readResult(&late)
	if errors.Is(err, errInterrupted) {
		return wire.Result{}, ctx.Err()
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = wire.NewError(wire.Protocol, "the stream ended without a result")
		}
		return wire.Result{}, err
	}
	s.result, s.answered = result, true
	if err := result.Err(); err != nil {
		s.fail(err.(*wire.Error))
		s.end()
	}
	return result, nil
}

// readResult goes on where an earlier call was interrupted.
func (s *Stream) readResult(late *bool) (wire.Result, error) {
	body, err := readMessage(func(b []byte) (int, error) { return s.receive(b, late) }, &s.partial, wire.MaxResult)
	if err != nil {
		return wire.Result{}, err
	}
	s.consumed(2 + len(body))
	result, err := wire.DecodeResult(body)
	if err != nil {
		s.session.conn.Fail(err.(*wire.Error))
	}
	return result, err
}

// readMessage reads a message with its length of two bytes. have keeps what has been read of it.
func readMessage(read func([]byte) (int, error), have *[]byte, limit int) ([]byte, error) {
	for {
		need := 2
		if len(*have) >= 2 {
			need += int(binary.BigEndian.Uint16(*have))
		}
		if need-2 > limit {
			return nil, wire.NewError(wire.Protocol, "message too long")
		}
		if len(*have) == need && need > 2 {
			body := (*have)[2:]
			*have = nil
			return body, nil
		}
		if len(*have) == 2 && need == 2 {
			return nil, wire.NewError(wire.Protocol, "empty message")
		}
		b := make([]byte, need-len(*have))
		n, err := read(b)
		*have = append(*have, b[:n]...)
		if err != nil {
			return nil, err
		}
	}
}

// Reply answers the request: once, before anything is written. After a code other than ok the stream is closed, whatever the opener sends.
func (s *Stream) Reply(result wire.Result) error {
	if err := s.writeNow(result.Append(nil)); err != nil && !s.ClosedCleanly() { // who has closed the session may have read it, and what it sent is to be delivered
		return err
	}
	if result.Code != wire.OK {
		s.fail(wire.NewError(result.Code, result.Text))
		s.end()
	}
	return nil
}
