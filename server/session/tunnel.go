package session

import (
	"context"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// tunnel is what a session needs of its streams and of what is below them. All methods
// may be called at any time.
type tunnel interface {
	// Drain tells the client to open no more streams.
	Drain(in time.Duration, text string)
	// Shutdown ends the tunnel with a code behind everything that was written, or when
	// the context ends, whose error it returns then.
	Shutdown(ctx context.Context, code wire.Code, text string) error
	// Fail ends the tunnel at once. The client is told why if it has a connection.
	Fail(err *wire.Error)
	// Close ends the tunnel at once and waits until none of its streams is left.
	Close()
	// Done returns a channel that is closed when the tunnel has ended.
	Done() <-chan struct{}
	// Err returns why the tunnel has ended, nil if it has not. After a clean close of the
	// client it is a *wire.Error with the code ok.
	Err() error
	// RTT returns the smoothed round trip time, 0 if it is not known.
	RTT() time.Duration
}

// linked is the tunnel of the project's own clients.
type linked struct {
	*link.Link
	mux *mux.Session
}

// openLinked opens the tunnel of a client that has sent that hello.
func (s *session) openLinked(hello wire.Hello) (err error) {
	s.resumes = hello.Capabilities&wire.CanResume != 0
	s.link = link.New(s.registry.linkConfig(s.memory.unacked))
	if hello.Capabilities&wire.CanBare != 0 {
		s.link.SendBare()
	}
	if hello.Capabilities&wire.CanJoin != 0 {
		s.link.Join()
	}
	streams, err := mux.Server(s.link, s.muxConfig(), func(ctx context.Context, stream *mux.Stream) { s.handle(ctx, stream) })
	s.tunnel = linked{s.link, streams}
	return err
}

// Drain implements tunnel.
func (l linked) Drain(in time.Duration, text string) { l.mux.Drain(in, text) }

// Close implements tunnel.
func (l linked) Close() { l.mux.Close() }

// RTT implements tunnel.
func (l linked) RTT() time.Duration { return l.Stats().RTT }
