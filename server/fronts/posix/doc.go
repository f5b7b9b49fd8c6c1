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
	"io"

	"github.com/sockmux/sockmux/server/fronts"
)

// Path is where the WebSocket is, below the server's prefix.
const Path = "v1/posix"

// Subprotocol is selected where a client offers it. Emscripten's own offers none.
const Subprotocol = "binary"

// agent is what these clients are called in logs: their protocol has no name for them.
const agent = "posix"

// Transport is one WebSocket. One goroutine calls Receive and reads what it returns.
type Transport interface {
	fronts.WebSocket
	// Receive returns the next binary message. It returns io.EOF if the client has closed the
	// WebSocket without an error. The message is read to its end before the next call.
	Receive(ctx context.Context) (io.Reader, error)
	// Ping returns when the client has answered a ping. A Receive must be under way.
	Ping(ctx context.Context) error
}
