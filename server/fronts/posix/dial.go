package posix

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// connect implements socket. Behind its time limit the connect goes on, as on Linux.
func (s *stream) connect(address []byte, answered func(errno)) {
	if len(address) >= 2 && calls.Family(address) == calls.AFUnspec {
		answered(s.disconnect())
		return
	}
	target, e := s.address(address)
	if e != 0 {
		answered(e)
		return
	}
	d := new(dialing)
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
	default:
		s.state, s.dialing = streamConnecting, d
	}
	s.mu.Unlock()
	if e != 0 {
		answered(e)
		return
	}
	if limit := s.options.sendTimeout(); limit > 0 {
		answered = onceWithin(limit, wire.EINPROGRESS, answered)
	}
	request := wire.Request{Kind: wire.TCP, Socket: s.options.wire()}
	s.bridge.open(d, request, target, func(opened *local.Stream, result wire.Result, err error) {
		answered(s.dialed(opened, result, err))
	})
}

// onceWithin returns a function that passes its first call on to answered, or the error number
// late if that does not come in time.
func onceWithin(limit time.Duration, late errno, answered func(errno)) func(errno) {
	var once sync.Once
	timer := time.AfterFunc(limit, func() { once.Do(func() { answered(late) }) })
	return func(e errno) {
		timer.Stop()
		once.Do(func() { answered(e) })
	}
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

// dialed notes how a connect has ended, and returns its error number.
func (s *stream) dialed(opened *local.Stream, result wire.Result, err error) errno {
	s.mu.Lock()
	gone := s.gone
	if err == nil && !gone {
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
	switch {
	case gone:
		return wire.ECONNABORTED
	case s.bridge.life.Err() != nil:
		return eEndedBridge
	}
	return errnoOf(local.CodeOf(err))
}

// dialing is a connect that is under way. The zero value is ready.
type dialing struct {
	mu       sync.Mutex
	stream   *local.Stream // nil: there is none yet
	canceled bool
}

// cancel ends it.
func (d *dialing) cancel() {
	d.mu.Lock()
	stream := d.stream
	d.canceled = true
	d.mu.Unlock()
	if stream != nil {
		_ = stream.Reset(wire.Aborted, "") // never fails
	}
}

// start opens a stream, and calls answered with its result. The error says why there is no stream.
func (d *dialing) start(tunnel *local.Tunnel, request wire.Request, answered func(*local.Stream, wire.Result, error)) {
	if err := d.begin(tunnel, request, answered); err != nil {
		answered(nil, wire.Result{}, err)
	}
}

func (d *dialing) begin(tunnel *local.Tunnel, request wire.Request, answered func(*local.Stream, wire.Result, error)) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock() // behind this, what answers may begin again
	if d.canceled {
		return wire.NewError(wire.Aborted, "")
	}
	d.stream, err = tunnel.OpenThen(request, func(stream *local.Stream, result wire.Result, err error) {
		if err == nil {
			err = result.Err()
		}
		if err != nil {
			_ = stream.Reset(wire.Aborted, "") // never fails
		}
		answered(stream, result, err)
	})
	return err
}

// open opens a stream to an address, and calls answered with its result. Where the policy allows
// the name alone by which the program has found the address, it opens one to the name.
func (b *bridge) open(d *dialing, request wire.Request, target netip.AddrPort, answered func(*local.Stream, wire.Result, error)) {
	request.Port = target.Port()
	name, known := b.names.of(target.Addr())
	byName := func() {
		request.Host, request.Family = wire.ParseHost(name.name), 6
		if target.Addr().Is4() {
			request.Family = 4
		}
		d.start(b.tunnel, request, func(stream *local.Stream, result wire.Result, err error) {
			if err == nil {
				b.names.mark(target.Addr())
			}
			answered(stream, result, err)
		})
	}
	if name.only {
		byName()
		return
	}
	request.Host = wire.HostOf(target.Addr())
	d.start(b.tunnel, request, func(stream *local.Stream, result wire.Result, err error) {
		if known && local.CodeOf(err) == wire.Denied {
			byName()
			return
		}
		answered(stream, result, err)
	})
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
