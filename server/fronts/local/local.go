// Package local joins a front to the streams of its session, within one process. A front
// whose protocol has sockets of its own opens a stream for each, as a client does:
//
//	tunnel, err := local.Open(terms)
//	stream, err := tunnel.Streams.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 80})
//	result, err := stream.Result(ctx)
//
// So all kinds of streams, their policy, limits and log hold without a word in the front.
package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Tunnel is both ends of a session in memory: that of the front, and that of the relay.
type Tunnel struct {
	Streams *mux.Session // of the front
	served  *mux.Session
	ends    *pair
}

// Open opens a tunnel on the terms of a session. The caller closes it.
func Open(terms session.ForeignTerms) (*Tunnel, error) {
	terms.Unsent.Hold(2 * pipeSize)
	t := &Tunnel{ends: newPair()}
	var err error
	if t.served, err = mux.Server(t.ends.acceptor(), terms.Mux, terms.Handle); err != nil {
		return nil, fmt.Errorf("the relay's end: %w", err)
	}
	// What programs have not taken is held as what a client has not acknowledged.
	if t.Streams, err = mux.Client(t.ends.initiator(), mux.Config{Received: terms.Unsent}); err != nil {
		t.Fail(wire.NewError(wire.Internal, ""))
		t.served.Close()
		return nil, fmt.Errorf("the front's end: %w", err)
	}
	return t, nil
}

// Finish ends the tunnel as the end of a program does: what streams have taken is delivered to
// their targets. A stream with a Write under way is reset. Finish returns when that is on its
// way, or when ctx ends.
func (t *Tunnel) Finish(ctx context.Context) {
	_ = t.Streams.CloseStreams(ctx) // what is not on its way by then is not delivered
	t.ends.end(wire.NewError(wire.OK, ""))
}

// Fail ends the tunnel and its streams at once. The first reason for the end stays.
func (t *Tunnel) Fail(err *wire.Error) { t.ends.end(err) }

// Close ends the tunnel at once and waits until none of its streams is left. Behind Finish it
// waits until the last bytes are delivered.
func (t *Tunnel) Close() {
	t.Fail(errClosed)
	t.Streams.Close()
	t.served.Close()
}

var errClosed = wire.NewError(wire.SessionLost, "the tunnel was closed")

// Done returns a channel that is closed when the tunnel has ended.
func (t *Tunnel) Done() <-chan struct{} { return t.ends.done }

// CodeOf returns the code in an error of a stream; wire.Internal if there is none.
func CodeOf(err error) wire.Code {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return wire.Internal
}
