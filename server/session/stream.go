package session

import (
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/shared/mux"
)

// Stream is a stream of a session: the relay's end, and what the session itself needs of it.
type Stream interface {
	relay.Stream
	// Detach lets the handler return before it has done with the stream. It calls release when it
	// has.
	Detach() (release func())
	// After calls f when the handler has done with the stream, detached or not. It is called once.
	After(f func())
}

var _ Stream = (*mux.Stream)(nil)
