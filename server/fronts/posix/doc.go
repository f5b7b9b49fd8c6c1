// Package posix serves programs of Emscripten that are built with -sPROXY_POSIX_SOCKETS
// (docs/EMSCRIPTEN.md, "Full POSIX sockets"):
//
//	front := posix.New(sessions)
//	err := front.Serve(ctx, transport, peer, token)
//
// Each message of the WebSocket is one call of a program, such as connect() or recv(), and is
// answered by one message (package calls). A bridge runs the calls of one program. A socket
// to a target is a stream that the relay serves as those of every client, so policy, limits,
// log and metrics hold without a word here.
package posix

import (
	"context"

	"github.com/sockmux/sockmux/server/fronts"
	"github.com/sockmux/sockmux/shared/budget"
)

// Path is where the WebSocket is, below the server's prefix.
const Path = "v1/posix"

// Subprotocol is selected where a client offers it. Emscripten's own offers none.
const Subprotocol = "binary"

// agent is what these clients are called in logs: their protocol has no name for them.
const agent = "posix"

// Transport is one WebSocket; *frames.Messages is one. One goroutine calls Receive. The others may
// be called at any time.
type Transport interface {
	fronts.WebSocket
	// Admit is called once, before anything is received, for a client that has a session now. Of a
	// message Receive keeps longest bytes at most. memory holds the buffers of messages, and heard
	// is called when something has come.
	Admit(longest int, memory *budget.Account, heard func())
	// Receive returns the next binary message, which is the caller's until the next call. cut says
	// that its end was dropped. It returns io.EOF if the client has closed the WebSocket without an
	// error.
	Receive() (message []byte, cut bool, err error)
	// Send sends messages, and blocks until the network takes them.
	Send(messages ...[]byte) error
	// Ping returns when the client has answered a ping. A Receive must be under way.
	Ping(ctx context.Context) error
	// Abort ends the connection at once: calls under way return errors.
	Abort()
}
