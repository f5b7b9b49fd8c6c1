package mux

import (
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
)

// socketOptions are what an initiator wants of the connection that a stream stands for.
type socketOptions struct {
	mu    sync.Mutex // held while apply runs, so that changes are applied in their order
	have  wire.SocketOptions
	apply func(wire.SocketOptions) // nil: there is no connection yet
}

func (o *socketOptions) set(options wire.SocketOptions) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.have = o.have.With(options)
	if o.apply != nil {
		o.apply(o.have)
	}
}

func (o *socketOptions) each(apply func(wire.SocketOptions)) {
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
func (s *Stream) EachSocketOptions(apply func(wire.SocketOptions)) { s.socket.each(apply) }
