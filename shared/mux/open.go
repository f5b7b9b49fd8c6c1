package mux

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// requestTimeout is how long an accepter waits for the request of a stream. Openers send it at once; one that does not holds a goroutine.
const requestTimeout = 30 * time.Second

// Open sends a request on a new stream. It waits for no answer, only while 256 streams have not been taken. Bytes may be written at once; Result
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
	y, err := s.yamux.OpenStream()
	if err != nil {
		return nil, s.Err()
	}
	stream := s.add(y)
	if request.Kind == wire.Control {
		s.remove(stream) // no messages are about it
	}
	if _, err := y.Write(message); err != nil {
		stream.end()
		return nil, s.Err()
	}
	stream.spent(len(message))
	return stream, nil
}

// Result waits for the answer to the request, until the context ends. After a code other than ok the stream is closed. It may be called any number of times.
func (s *Stream) Result(ctx context.Context) (wire.Result, error) {
	s.resultMu.Lock()
	defer s.resultMu.Unlock()
	if s.answered {
		return s.result, nil
	}
	stop := context.AfterFunc(ctx, func() { s.yamux.SetReadDeadline(past) })
	result, err := s.readResult()
	if !stop() && ctx.Err() != nil {
		if !s.session.yamux.IsClosed() { // its deadline stays: see interrupt
			s.yamux.SetReadDeadline(time.Time{})
		}
		if err != nil {
			return wire.Result{}, ctx.Err()
		}
	}
	if err != nil {
		if err = s.readError(err); errors.Is(err, io.EOF) {
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
func (s *Stream) readResult() (wire.Result, error) {
	body, err := readMessage(s.yamux, &s.partial, wire.MaxResult)
	if err != nil {
		return wire.Result{}, err
	}
	s.session.consumed(s.ID(), 2+len(body))
	result, err := wire.DecodeResult(body)
	if err != nil {
		s.session.conn.Fail(err.(*wire.Error))
	}
	return result, err
}

// readMessage reads a message with its length of two bytes. have keeps what has been read of it.
func readMessage(r io.Reader, have *[]byte, limit int) ([]byte, error) {
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
		n, err := r.Read(b)
		*have = append(*have, b[:n]...)
		if err != nil {
			return nil, err
		}
	}
}

// accept is the goroutine that takes streams from yamux; it ends with the session.
func (s *Session) accept(handle func(context.Context, *Stream)) {
	ctx, cancel := context.WithCancel(context.Background()) // the session's lifetime
	defer cancel()
	var handlers sync.WaitGroup
	defer s.deliver(&handlers)
	for s.awaitRoom() {
		y, err := s.yamux.AcceptStream()
		if err != nil {
			return
		}
		s.guard.waiting.Add(-1)
		stream := s.accepted(y)
		handlers.Add(1)
		s.tasks.Go(func() {
			defer handlers.Done()
			s.serve(ctx, stream, handle)
			s.mu.Lock()
			defer s.mu.Unlock()
			stream.releaseLocked()
		})
	}
}

// deliverTimeout is how long the handlers of a session that was closed may take for what was sent before.
const deliverTimeout = 5 * time.Second

// deliver lets the handlers of a session that the other end has closed read to the end of what was sent, before their context ends.
func (s *Session) deliver(handlers *sync.WaitGroup) {
	if !s.closedCleanly() {
		return
	}
	done := make(chan struct{})
	s.tasks.Go(func() {
		defer close(done)
		handlers.Wait()
	})
	timer := time.NewTimer(deliverTimeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}

func (s *Session) closedCleanly() bool { return errors.Is(s.conn.Err(), wire.NewError(wire.OK, "")) }

// serve reads the request of one stream and hands it on.
func (s *Session) serve(ctx context.Context, stream *Stream, handle func(context.Context, *Stream)) {
	stream.answered = true // this end answers
	stream.yamux.SetReadDeadline(time.Now().Add(requestTimeout))
	request, n, err := readRequest(stream.yamux)
	s.consumed(stream.ID(), n)
	stream.yamux.SetReadDeadline(time.Time{})
	if err != nil {
		e, ok := err.(*wire.Error)
		if !ok {
			e = wire.NewError(wire.InvalidRequest, "the stream began without a request: "+err.Error())
		}
		_ = stream.Reply(wire.Result{Code: e.Code, Text: e.Text}) // the stream is over either way
		_ = stream.Close()                                        // as above
		return
	}
	stream.request = request
	if request.Kind == wire.Control {
		s.remove(stream)
		s.serverControl(stream)
		return
	}
	handle(ctx, stream)
}

func readRequest(y raw) (request wire.Request, n int, err error) {
	var partial []byte
	body, err := readMessage(y, &partial, wire.MaxRequest)
	if err != nil {
		if e, ok := err.(*wire.Error); ok {
			err = wire.NewError(wire.InvalidRequest, e.Text)
		}
		return wire.Request{}, len(partial), err
	}
	request, err = wire.DecodeRequest(body)
	return request, 2 + len(body), err
}

// Reply answers the request: once, before anything is written. After a code other than ok the stream is closed, whatever the opener sends.
func (s *Stream) Reply(result wire.Result) error {
	message := result.Append(nil)
	if _, err := s.yamux.Write(message); err != nil && !s.Left() { // who has closed the session may have read it, and what it sent is to be delivered
		return s.writeError(err)
	}
	s.spent(len(message))
	if result.Code != wire.OK {
		s.fail(wire.NewError(result.Code, result.Text))
		s.end()
	}
	return nil
}
