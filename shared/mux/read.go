package mux

import (
	"context"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// Result waits for the answer to the request, until the context ends. After a code other than
// ok the stream is closed. Result may be called any number of times, at any time: a stream that
// this end has closed still gets its result. After Reset it returns that error.
func (s *Stream) Result(ctx context.Context) (wire.Result, error) {
	if err := s.waitHead(ctx); err != nil {
		return wire.Result{}, err
	}
	return s.result, nil
}

// waitHead waits for the first message of the peer, which is complete if it returns nil.
func (s *Stream) waitHead(ctx context.Context) error {
	select {
	case <-s.recv.came:
	default:
		select {
		case <-s.recv.came:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.session.done:
			select { // both may have happened
			case <-s.recv.came:
			default:
				return s.session.Err()
			}
		}
	}
	return s.recv.headErr
}

// Read returns bytes. It returns io.EOF after the other end's FIN, net.ErrClosed after
// CancelRead, and a *wire.Error after the other end's reset (it has returned all bytes
// before it), after a result other than ok, after Reset, and when the session has ended.
func (s *Stream) Read(b []byte) (int, error) {
	n, _, err := s.ReadOrTake(b, 0)
	return n, err
}

// ReadOrTake is Read for a caller that has a use for a bare message where it is. If one of at
// most the given length comes next, ReadOrTake returns it and its length, and does not touch b.
// The caller owns the payload.
func (s *Stream) ReadOrTake(b []byte, most int) (n int, body buffer.Payload, err error) {
	s.mu.Lock()
	s.recv.inbox.lend(0)
	n, body, err = s.readLocked(b, most)
	s.recv.read += uint64(n)
	if !s.recv.finished() {
		s.recv.inbox.lend(n)
	}
	s.mu.Unlock()
	if n > 0 {
		s.consumed(n)
	}
	return n, body, err
}

func (s *Stream) readLocked(b []byte, most int) (int, buffer.Payload, error) {
	for {
		if s.deadline.Passed() {
			return 0, nil, ErrDeadline
		}
		if s.recv.exhausted() {
			return 0, nil, s.recv.err()
		}
		if body := s.recv.inbox.takeBody(most); body != nil {
			return body.Len(), body, nil
		}
		if n := s.recv.inbox.take(b); n > 0 {
			return n, nil, nil
		}
		if err := s.recv.err(); err != nil {
			return 0, nil, err
		}
		if s.session.over.Load() {
			return 0, nil, s.session.Err()
		}
		if len(b) == 0 {
			return 0, nil, nil
		}
		s.readable.Wait()
	}
}

// WaitReadable blocks until Read would return without blocking, or the stream has ended.
// It lets a caller wait without holding a read buffer. Only the goroutine that calls Read
// may call it. Bytes that Read has returned before count as used up.
func (s *Stream) WaitReadable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recv.inbox.lend(0)
	for s.recv.inbox.empty() && s.recv.err() == nil && !s.session.over.Load() && !s.deadline.Passed() {
		s.readable.Wait()
	}
}

// Direct does nothing: bytes come by the goroutine that reads the frames of all streams, and they
// may have to wait. So they wait for Read.
func (s *Stream) Direct(func(b []byte) int) {}

// consumed notes that n bytes were read, and lets the other end send more. It may block as
// Write does.
func (s *Stream) consumed(n int) {
	if h, urgent, due := s.windowUpdate(n); due && urgent {
		_ = s.session.writer.frame(h, nil) // fails only with the session
	} else if due {
		_ = s.session.writer.later(h, nil) // as above
	}
}

// windowUpdate notes that n bytes were read. If an update is due, it returns its frame.
func (s *Stream) windowUpdate(n int) (h header, urgent, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recv.finished() || !s.recv.window.due(n) {
		return h, false, false
	}
	more, urgent := s.recv.window.update(s.session.signals.rtt(), &s.session.growth)
	return newHeader(typeWindowUpdate, 0, s.id, more), urgent, true
}
