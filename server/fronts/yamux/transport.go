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

import "context"

// Transport is one WebSocket whose messages are a stream of bytes: where one ends means
// nothing. One goroutine calls Read, and one Send.
type Transport interface {
	// Read returns the next bytes of binary messages. It returns io.EOF if the client has
	// closed the WebSocket without an error.
	Read(ctx context.Context, b []byte) (int, error)
	// Send sends one binary message and may block until the network takes it. The caller
	// may reuse the message after the return.
	Send(ctx context.Context, message []byte) error
	// Close ends the WebSocket with a close code and a reason, or at once where the code
	// is 0. It may be called more than once and at any time, and takes no longer than
	// some seconds.
	Close(code int, reason string) error
	// Admit is called once, before the first Read, for a client that has a session now.
	Admit()
	// Dismiss is called for a client of which nothing more is wanted. Send and Close may
	// follow, within some seconds: then the connection is cut.
	Dismiss()
}
