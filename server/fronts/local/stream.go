package local

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Stream is the front's end of a stream. Its methods are those of a *mux.Stream: one goroutine may
// call Read and another one Write; all other methods may be called at any time. The front must
// close or reset each stream that it has opened.
type Stream struct {
	tunnel   *Tunnel
	request  wire.Request
	up, down half // from the front to the relay, and back
	options  mux.SocketSettings

	once     sync.Once
	answered chan struct{} // closed when result or failure is set
	result   wire.Result
	failure  error                             // why there is no result
	then     func(*Stream, wire.Result, error) // called behind that; nil: nothing

	after    func() // what the handler wants when it has done with the stream; nil: nothing
	detached bool   // the handler has returned, or is about to, and releases the stream later
}

func newStream(tunnel *Tunnel, request wire.Request, then func(*Stream, wire.Result, error)) *Stream {
	s := &Stream{tunnel: tunnel, request: request, answered: make(chan struct{}), then: then}
	s.up.init(tunnel.received)
	s.down.init(tunnel.unsent)
	s.options.Set(request.Socket)
	return s
}

// Result waits for the answer to the request, until the context ends. After a code other than ok
// the stream is closed.
func (s *Stream) Result(ctx context.Context) (wire.Result, error) {
	select {
	case <-s.answered:
		return s.result, s.failure
	case <-ctx.Done():
		return wire.Result{}, ctx.Err()
	}
}

// answer sets what Result returns. The first call counts.
func (s *Stream) answer(result wire.Result, failure error) {
	first := false
	s.once.Do(func() {
		s.result, s.failure, first = result, failure, true
		close(s.answered)
	})
	if first && s.then != nil {
		s.then(s, result, failure)
	}
}

// Read returns bytes. It returns io.EOF after the end of the other end, net.ErrClosed after
// CancelRead, and a *wire.Error after a reset, a refusal, and at the end of the tunnel.
func (s *Stream) Read(b []byte) (int, error) { return s.down.read(b) }

// WaitReadable blocks until Read would not block.
func (s *Stream) WaitReadable() { s.down.waitReadable() }

// Readable reports whether Read would return without waiting if it had no deadline.
func (s *Stream) Readable() bool { return s.down.isReadable() }

// Write blocks until the bytes wait for the relay, or its deadline has passed.
func (s *Stream) Write(b []byte) (int, error) { return s.up.write(b) }

// WriteNow is Write that takes what it can without waiting, and returns how much that is.
func (s *Stream) WriteNow(b []byte) int { return s.up.writeNow(b) }

// SetReadDeadline makes Read fail with mux.ErrDeadline from a time on; the zero time: never.
func (s *Stream) SetReadDeadline(t time.Time) { s.down.setReadDeadline(t) }

// SetWriteDeadline makes Write fail with mux.ErrDeadline where there is no room from a time on.
func (s *Stream) SetWriteDeadline(t time.Time) { s.up.setWriteDeadline(t) }

// CloseWrite ends this direction after what was written.
func (s *Stream) CloseWrite() error { return s.up.finish() }

// CancelRead gives up reading, and tells the relay so.
func (s *Stream) CancelRead(code wire.Code) error {
	s.down.drop(closed.Err, wire.NewError(code, "the other end reads no more"))
	return nil
}

// Reset ends both directions. The relay gets every byte that Write took, then the code.
func (s *Stream) Reset(code wire.Code, text string) error {
	err := wire.NewError(code, text)
	reset(&s.up, &s.down, err)
	s.answer(wire.Result{}, err)
	return nil
}

// reset is Reset of the end that writes one half and reads the other.
func reset(writes, reads *half, err *wire.Error) {
	if !writes.cut(err) { // too late to reset what was written
		reads.drop(closed.Err, err)
		return
	}
	reads.drop(err, err)
}

// Close gives the stream up: what was written is delivered, what comes is dropped.
func (s *Stream) Close() error {
	err := closeWrite(&s.up)
	_ = s.CancelRead(wire.Aborted) // never fails
	return err
}

// closeWrite is finish for an end that closes both directions.
func closeWrite(writes *half) error {
	err := writes.finish()
	var ended *wire.Error
	if errors.Is(err, closed.Err) || errors.As(err, &ended) {
		return nil // it had ended before
	}
	return err
}

// SetSocketOptions sets options of the connection that the stream stands for.
func (s *Stream) SetSocketOptions(options wire.SocketOptions) { s.options.Set(options) }

// leave closes the stream as the end of a program does.
func (s *Stream) leave() {
	s.up.leave(wire.NewError(wire.Aborted, "closed with a write under way"))
	_ = s.CancelRead(wire.Aborted) // never fails
}

// end notes the end of the tunnel.
func (s *Stream) end(err *wire.Error) {
	s.up.end(err)
	s.down.end(err)
	s.answer(wire.Result{}, err)
}
