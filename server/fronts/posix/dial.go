package posix

import (
	"context"
	"net/netip"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// connect implements socket. Behind its time limit the connect goes on, as on Linux.
func (s *stream) connect(ctx context.Context, address []byte) errno {
	if len(address) >= 2 && calls.Family(address) == calls.AFUnspec {
		return s.disconnect()
	}
	target, e := s.address(address)
	if e != 0 {
		return e
	}
	s.mu.Lock()
	switch {
	case s.state == streamConnecting:
		e = wire.EALREADY
	case s.state == streamConnected:
		e = wire.EISCONN
	case s.gone:
		e = wire.EBADF
	case s.listening:
		e = wire.EISCONN
	case s.bound != nil:
		e = eOpNotSupp // the relay connects from no port of the client's choice
	case target.Port() == 0:
		e = wire.ECONNREFUSED // as Linux has it
	}
	if e != 0 {
		s.mu.Unlock()
		return e
	}
	s.state = streamConnecting
	dialed := make(chan struct{})
	dialing, cancelDial := context.WithCancel(s.bridge.life)
	s.cancelDial = cancelDial
	s.mu.Unlock()
	s.bridge.tasks.Go(func() { // ends with the request, or dialing
		defer cancelDial()
		e := s.dial(dialing, target)
		s.mu.Lock()
		s.dialError = e
		s.mu.Unlock()
		close(dialed)
	})
	waits, cancel := within(ctx, s.options.sendTimeout())
	defer cancel()
	select {
	case <-dialed:
	case <-waits.Done():
		if ctx.Err() == nil {
			return wire.EINPROGRESS
		}
		<-dialed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialError
}

// disconnect dissolves a connection, for a connect to AF_UNSPEC.
func (s *stream) disconnect() errno {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != streamNew {
		return eOpNotSupp
	}
	return 0
}

// dial connects to a target.
func (s *stream) dial(ctx context.Context, target netip.AddrPort) errno {
	opened, result, err := s.bridge.open(ctx, wire.Request{Kind: wire.TCP, Socket: s.options.wire()}, target)
	s.mu.Lock()
	gone := s.gone
	if ok := err == nil && !gone; ok {
		s.state, s.conn, s.local, s.remote = streamConnected, opened, result.Bound, result.Remote
		s.mu.Unlock()
		s.changed() // what was set meanwhile
		return 0
	}
	s.state = streamNew
	s.mu.Unlock()
	if err == nil {
		_ = opened.Reset(wire.Aborted, "") // never fails
	}
	if gone {
		return wire.ECONNABORTED
	}
	return errnoOf(local.CodeOf(err))
}

// open opens a stream to an address. Where the policy allows the name alone by which the
// program has found the address, it opens one to the name.
func (b *bridge) open(ctx context.Context, request wire.Request, target netip.AddrPort) (*local.Stream, wire.Result, error) {
	request.Port = target.Port()
	name, known := b.names.of(target.Addr())
	if !name.only {
		request.Host = wire.HostOf(target.Addr())
		stream, result, err := b.ask(ctx, request)
		if !known || local.CodeOf(err) != wire.Denied {
			return stream, result, err
		}
	}
	request.Host, request.Family = wire.ParseHost(name.name), 6
	if target.Addr().Is4() {
		request.Family = 4
	}
	stream, result, err := b.ask(ctx, request)
	if err == nil {
		b.names.mark(target.Addr())
	}
	return stream, result, err
}

// ask opens a stream and waits for its result. The error says why there is no stream.
func (b *bridge) ask(ctx context.Context, request wire.Request) (*local.Stream, wire.Result, error) {
	stream, err := b.tunnel.OpenStream(request)
	if err != nil {
		return nil, wire.Result{}, err
	}
	result, err := stream.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		_ = stream.Reset(wire.Aborted, "") // never fails
		return nil, result, err
	}
	return stream, result, nil
}
