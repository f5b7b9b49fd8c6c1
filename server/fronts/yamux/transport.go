// Package yamux serves clients that have a yamux library and a WebSocket, and nothing of
// this project (docs/PROTOCOL.md, section 9):
//
//	front := yamux.New(sessions)
//	err := front.Serve(ctx, transport, peer, token)
//
// The session is one of shared/mux, whose streams the relay serves as those of every
// client. So policy, limits, log and metrics hold without a word here. A plain session
// has one connection and is not resumed.
package yamux

import (
	"context"

	"github.com/sockmux/sockmux/server/fronts"
)

// Transport is one WebSocket whose messages are a stream of bytes: where one ends means
// nothing. One goroutine calls Read.
type Transport interface {
	fronts.WebSocket
	// Admit is called once, before anything is received, for a client that has a session now.
	Admit()
	// Send sends one binary message and may block until the network takes it. The caller
	// may reuse the message after the return. One goroutine calls it, also behind Dismiss.
	Send(ctx context.Context, message []byte) error
	// Read returns the next bytes of binary messages. It returns io.EOF if the client has
	// closed the WebSocket without an error.
	Read(ctx context.Context, b []byte) (int, error)
}
