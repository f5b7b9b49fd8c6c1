package posix

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/wire"
)

// byteStream is what a connected socket carries; *local.Stream is one.
type byteStream interface {
	io.ReadWriteCloser
	WaitReadable()
	Readable() bool
	WriteNow([]byte) int
	SetReadDeadline(time.Time)
	SetWriteDeadline(time.Time)
	CloseWrite() error
	CancelRead(wire.Code) error
	Reset(wire.Code, string) error
	SetSocketOptions(wire.SocketOptions)
}

var _ byteStream = (*local.Stream)(nil)

// stream is a socket of TCP, or one end of a pair.
type stream struct {
	base

	mu            sync.Mutex
	state         streamState
	conn          byteStream     // of a connected one
	dialing       *dialing       // the last connect
	local, remote netip.AddrPort // likewise; local is also what bind was given
	bound         *local.Stream  // that listens, or will; nil: it does not
	listening     bool           // listen was called
	gone          bool           // close was called

	readShut, writeShut atomic.Bool
	sawEnd, broken      atomic.Bool // the program has been told of the other end's FIN, or of an error

	ahead []byte // was read by MSG_PEEK or waits for more; whose turn it is to receive guards it
}

type streamState uint8

const (
	streamNew streamState = iota
	streamConnecting
	streamConnected
)

func (b *bridge) newStream(family, protocol int32) *stream {
	s := new(stream)
	s.bridge, s.family, s.kind, s.protocol = b, family, typeStream, protocol
	return s
}

// newConnected returns a socket that is connected from the start.
func (b *bridge) newConnected(family, protocol int32, conn byteStream, local, remote netip.AddrPort) *stream {
	s := b.newStream(family, protocol)
	s.state, s.conn, s.local, s.remote = streamConnected, conn, local, remote
	return s
}

// connection returns what a connected socket carries; nil: it is not connected.
func (s *stream) connection() byteStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

func (s *stream) names() (local, remote netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.local, s.remote
}

func (s *stream) changed() {
	if conn := s.connection(); conn != nil {
		conn.SetSocketOptions(s.options.wire())
	}
}

// shutdown implements socket. It does not wait for a call of the direction that it ends, but
// ends that. What is to happen to a socket whose both directions end is for close.
func (s *stream) shutdown(how int32) errno {
	s.mu.Lock()
	conn, bound, listening := s.conn, s.bound, s.listening
	s.mu.Unlock()
	switch {
	case listening && how != shutWrite:
		s.discard(bound) // nothing is accepted any more, as on Linux
		return 0
	case conn == nil:
		return wire.ENOTCONN
	}
	switch how {
	case shutRead:
		s.readShut.Store(true)
		conn.SetReadDeadline(past)
	case shutWrite:
		if s.writeShut.Swap(true) {
			return 0
		}
		conn.SetWriteDeadline(past)
		s.after(&s.sending, func() { _ = conn.CloseWrite() }) // fails only if the stream has ended
	}
	return 0
}

func (s *stream) close() {
	s.mu.Lock()
	again := s.gone
	s.gone = true
	conn, bound, connecting, dialing := s.conn, s.bound, s.state == streamConnecting, s.dialing
	s.mu.Unlock()
	switch {
	case again:
	case bound != nil:
		s.discard(bound)
	case conn != nil:
		s.discard(conn)
	case connecting:
		dialing.cancel()
	}
}

// discard gives up a connection.
func (s *stream) discard(conn byteStream) {
	s.readShut.Store(true)
	s.writeShut.Store(true)
	if on, limit := s.options.linger(); on && limit == 0 {
		_ = conn.Reset(wire.Aborted, "") // never fails
	}
	conn.SetReadDeadline(past)
	conn.SetWriteDeadline(past)
	_ = conn.CancelRead(wire.Aborted) // never fails
	s.after(&s.sending, func() {
		_ = conn.Close() // as after close(2), there is no one to whom it matters
		conn.SetWriteDeadline(time.Time{})
	})
}

func (s *stream) cutSend() {
	if conn := s.connection(); conn != nil && s.sending.taken() {
		_ = conn.Reset(wire.Aborted, "") // never fails
	}
}

func (s *stream) over() bool {
	if s.broken.Load() {
		return true
	}
	return s.sawEnd.Load() && s.writeShut.Load()
}

// pending implements socket: a reset that the program has not been told of.
func (s *stream) pending() errno {
	conn := s.connection()
	if conn == nil || s.broken.Load() {
		return 0
	}
	place := s.receiving.ask()
	defer place.done()
	if !place.now() || !conn.Readable() || len(s.ahead) > 0 {
		return 0
	}
	err := s.gather(conn, 1, 1, true, time.Time{})
	if err == nil || errors.Is(err, io.EOF) {
		return 0
	}
	return s.failed(err)
}

// failed returns the error number for the end of a connection, which a program is told once.
func (s *stream) failed(err error) errno {
	if errors.Is(err, io.EOF) || errors.Is(err, closed.Err) {
		return 0
	}
	code := local.CodeOf(err)
	if s.broken.Swap(true) {
		return 0
	}
	return errnoOf(code)
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// within returns a context for the wait of a call with a time limit; 0: none.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, limit)
}

// await waits for the turn of a call. It returns the error number if that does not come.
func (s *stream) await(ctx context.Context, place *turn, dontWait bool, limit time.Duration) errno {
	if place.now() {
		return 0
	}
	if dontWait {
		return wire.EAGAIN
	}
	waits, cancel := within(ctx, limit)
	defer cancel()
	switch {
	case place.wait(waits):
		return 0
	case ctx.Err() != nil:
		return eEndedBridge
	}
	return wire.EAGAIN
}
