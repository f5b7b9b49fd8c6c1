package posix

import (
	"context"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/wire"
)

// bind implements socket. The port is bound from now on, unless the program leaves both address
// and port to the system: then it may go on to connect, and nothing is bound before listen.
func (s *stream) bind(ctx context.Context, address []byte) errno {
	ap, e := s.address(address)
	if e != 0 {
		return e
	}
	s.mu.Lock()
	if s.state != streamNew || s.local.IsValid() {
		s.mu.Unlock()
		return wire.EINVAL
	}
	s.local = ap
	s.mu.Unlock()
	if ap.Port() == 0 && ap.Addr().IsUnspecified() {
		return 0
	}
	if e := s.bindAt(ctx, ap); e != 0 {
		s.mu.Lock()
		s.local = netip.AddrPort{}
		s.mu.Unlock()
		return e
	}
	return 0
}

// bindAt binds at the server.
func (s *stream) bindAt(ctx context.Context, ap netip.AddrPort) errno {
	opened, result, err := s.bridge.ask(ctx, s.bindRequest(wire.Listen, ap))
	if err != nil {
		return errnoOf(local.CodeOf(err))
	}
	s.mu.Lock()
	gone := s.gone
	if !gone {
		s.bound, s.local = opened, result.Bound
	}
	s.mu.Unlock()
	if gone {
		_ = opened.Close() // nothing was sent
		return wire.EBADF
	}
	return 0
}

// listen implements socket.
func (s *stream) listen(ctx context.Context, backlog int32) errno {
	s.mu.Lock()
	state, bound, at := s.state, s.bound, s.local
	s.mu.Unlock()
	switch {
	case state != streamNew || s.family == calls.AFUnix:
		return wire.EINVAL
	case bound != nil:
	default:
		if !at.IsValid() {
			at = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
			if s.family == calls.AFInet6 {
				at = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
			}
		}
		if e := s.bindAt(ctx, at); e != 0 {
			return e
		}
	}
	s.mu.Lock()
	s.listening, bound = true, s.bound
	s.mu.Unlock()
	place := s.sending.ask()
	defer place.done()
	if !place.wait(ctx) {
		return eEndedBridge
	}
	if _, err := bound.Write(incoming.AppendBacklog(nil, int(backlog))); err != nil {
		return errnoOf(local.CodeOf(err))
	}
	return 0
}

func (s *stream) listens() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listening
}

// accept implements socket. A connection that has gone while it waited is passed over.
func (s *stream) accept(ctx context.Context, place *turn) (socket, netip.AddrPort, errno) {
	s.mu.Lock()
	bound, listening := s.bound, s.listening
	s.mu.Unlock()
	if !listening {
		return nil, netip.AddrPort{}, wire.EINVAL
	}
	limit := s.options.receiveTimeout()
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit)
	}
	if e := s.await(ctx, place, false, limit); e != 0 {
		return nil, netip.AddrPort{}, e
	}
	for {
		if !bound.Readable() && !s.waitReadable(bound, until) {
			switch {
			case ctx.Err() != nil:
				return nil, netip.AddrPort{}, eEndedBridge
			case s.readShut.Load():
				return nil, netip.AddrPort{}, wire.EINVAL
			}
			return nil, netip.AddrPort{}, wire.EAGAIN
		}
		bound.SetReadDeadline(time.Time{}) // a record comes whole
		record, err := incoming.Read(bound)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return nil, netip.AddrPort{}, eEndedBridge
		default:
			return nil, netip.AddrPort{}, wire.EINVAL // it does not listen any more
		}
		opened, result, err := s.bridge.ask(ctx, wire.Request{Kind: wire.Accept, Port: record.Number, Socket: s.options.wire()})
		switch code := local.CodeOf(err); {
		case err == nil:
			accepted := s.bridge.newConnected(s.family, s.protocol, opened, result.Bound, result.Remote)
			s.options.inherit(&accepted.options)
			return accepted, result.Remote, 0
		case code == wire.Aborted && ctx.Err() == nil:
		case ctx.Err() != nil:
			return nil, netip.AddrPort{}, eEndedBridge
		default:
			return nil, netip.AddrPort{}, errnoOf(code)
		}
	}
}
