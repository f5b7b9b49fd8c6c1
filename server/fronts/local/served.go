package local

import (
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/wire"
)

// served is the relay's end of a stream.
type served struct{ *Stream }

var _ session.Stream = served{}

// Request implements session.Stream.
func (s served) Request() wire.Request { return s.request }

// Reply implements session.Stream.
func (s served) Reply(result wire.Result) error {
	if result.Code != wire.OK {
		refusal := wire.NewError(result.Code, result.Text)
		_ = s.down.cut(refusal) // Read returns it; false: it has ended before
		s.up.drop(closed.Err, refusal)
	}
	s.answer(result, nil)
	return nil
}

// Read implements session.Stream.
func (s served) Read(b []byte) (int, error) { return s.up.read(b) }

// WaitReadable implements session.Stream.
func (s served) WaitReadable() { s.up.waitReadable() }

// Direct implements session.Stream.
func (s served) Direct(write func(b []byte) int) { s.up.direct(write) }

// Write implements session.Stream.
func (s served) Write(b []byte) (int, error) { return s.down.write(b) }

// Fill implements session.Stream.
func (s served) Fill(put func(b []byte) int) error { return s.down.fill(put) }

// ClosedCleanly implements session.Stream.
func (s served) ClosedCleanly() bool { return s.tunnel.endedCleanly() && !s.up.wasReset() }

// Stopped implements session.Stream.
func (s served) Stopped() <-chan struct{} { return s.down.stopped() }

// CloseWrite implements session.Stream.
func (s served) CloseWrite() error { return s.down.finish() }

// EachSocketOptions implements session.Stream.
func (s served) EachSocketOptions(apply func(wire.SocketOptions)) { s.options.Each(apply) }

// CancelRead implements session.Stream.
func (s served) CancelRead(code wire.Code) error {
	s.up.drop(closed.Err, wire.NewError(code, "the other end reads no more"))
	return nil
}

// Reset implements session.Stream.
func (s served) Reset(code wire.Code, text string) error {
	reset(&s.down, &s.up, wire.NewError(code, text))
	return nil
}

// Close implements session.Stream.
func (s served) Close() error {
	err := closeWrite(&s.down)
	_ = s.CancelRead(wire.Aborted) // never fails
	return err
}

// Detach implements session.Stream.
func (s served) Detach() (release func()) {
	s.detached = true
	return func() { s.tunnel.release(s.Stream) }
}

// After implements session.Stream.
func (s served) After(f func()) { s.after = f }
