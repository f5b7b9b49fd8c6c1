package mux

import (
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
)

// SocketSettings are what an initiator wants of the connection that a stream stands for. The zero
// value wants nothing. Any number of goroutines may use them.
type SocketSettings struct {
	mu    sync.Mutex // held while apply runs, so that changes are applied in their order
	have  wire.SocketOptions
	apply func(wire.SocketOptions) // nil: there is no connection yet
}

// Set changes the options that are set in options, and applies all of them.
func (o *SocketSettings) Set(options wire.SocketOptions) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.have = o.have.With(options)
	if o.apply != nil {
		o.apply(o.have)
	}
}

// Each calls apply with all options: at once if there are any, and after each change. apply must
// not block.
func (o *SocketSettings) Each(apply func(wire.SocketOptions)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.apply = apply
	if o.have != (wire.SocketOptions{}) {
		apply(o.have)
	}
}

// SetSocketOptions asks the acceptor to set options of the connection that the stream stands for.
// Options that are not set are left as they are. It waits for no answer: there is none. An acceptor
// without wire.CanSocketOptions ignores it.
func (s *Stream) SetSocketOptions(options wire.SocketOptions) {
	if options != (wire.SocketOptions{}) {
		s.session.control.send(wire.StreamSocket{ID: s.id, Options: options})
	}
}

// EachSocketOptions calls apply with all options that the initiator has set: at once if it has set
// any, and after each change. apply must not block and must not call the stream.
func (s *Stream) EachSocketOptions(apply func(wire.SocketOptions)) { s.socket.Each(apply) }
