package relay

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/server/relay/policy"
	records "github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// maxAnnounced is how many connections of a listener are announced and wait to be accepted.
	// Each holds a descriptor. Those behind them wait in the system.
	maxAnnounced = 16
	// systemBacklog is how many connections wait in the system. It is not the client's: a system
	// whose queue is full may reset connections, and here the queue is emptied from afar.
	systemBacklog = 128
	// maxUnread is how many bytes of records wait for a client that does not read its
	// listen stream.
	// A client needs no record to accept, if it guesses the numbers.
	maxUnread = 4 << 10
	// lastAccepts is how long announced connections may still be accepted behind the client's FIN.
	// An accept stream that the client has opened before it may be served after it.
	lastAccepts = 2 * time.Second
	// portAttempts is how many ports of a range are tried where the client leaves the choice.
	portAttempts = 64
	// acceptPause is the first pause behind an error of accept(2) that passes, such as a lack of
	// descriptors; each further one is twice as long, up to a second.
	acceptPause = 5 * time.Millisecond
)

// listen binds and answers with the bound address, then carries records of what comes in.
func (p *pipe) listen() {
	l, err := p.relay.listenAt(p.life, p.request, func() { p.cut(errRelayEnds) })
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	bound := addrPort(l.Addr())
	p.remote, p.told = bound, bound // for the operator; the answer has no remote address
	p.join(l, wire.Result{Code: wire.OK, Bound: bound})
	go p.down(p.copyDown) // the caller of done waits for it
}

// accept carries an incoming connection of the session.
func (p *pipe) accept() {
	conn, err := p.relay.incoming.take(p.relay.Client.Number, p.request.Port)
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	p.carryTCP(conn)
}

// StopListening ends everything that has bound a port, with the code draining, and refuses what
// comes.
func (r *Relay) StopListening() {
	for _, l := range r.incoming.drain() {
		l.stop()
	}
}

// Listeners returns how many ports are bound, and how many connections wait to be accepted.
func (r *Relay) Listeners() (listeners, waiting int) { return r.incoming.count() }

// listenAt asks the policy and binds. StopListening calls end.
func (r *service) listenAt(ctx context.Context, request wire.Request, end func()) (*listening, error) {
	addr := request.Host.Addr().Unmap()
	if !addr.IsValid() || addr.Zone() != "" {
		return nil, wire.NewError(wire.InvalidRequest, request.Target()+" is no address to listen on")
	}
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	place, err := r.Listen.Find(policy.TCP, addr, request.Port, request.Family)
	asked(err)
	if err != nil {
		return nil, err
	}
	l := &listening{relay: r, session: r.Client.Number, end: end, freed: make(chan struct{}, 1), ended: make(chan struct{})}
	l.readable.L = &l.mu
	if err := r.incoming.enter(l.session, l, r.MaxListeners); err != nil {
		return nil, err
	}
	if l.TCPListener, err = bind(ctx, place, request.Family); err != nil {
		r.incoming.leave(l.session, l, 0)
		return nil, dialFailure(ctx, netip.AddrPortFrom(place.Addr, request.Port), err)
	}
	setBacklog(l.TCPListener, 0) // until the client has listened
	return l, nil
}

// bind listens at a place.
func bind(ctx context.Context, place policy.Place, family uint8) (*net.TCPListener, error) {
	config := net.ListenConfig{
		KeepAliveConfig: egress.KeepAlive,
		Control: func(_, _ string, raw syscall.RawConn) error {
			notsentlowat.Limit(raw) // connections inherit it
			return nil
		},
	}
	config.SetMultipathTCP(false)
	return atPlace("tcp", place, family, func(network string, at netip.AddrPort) (*net.TCPListener, error) {
		l, err := config.Listen(ctx, network, at.String())
		if err != nil {
			return nil, err
		}
		return l.(*net.TCPListener), nil // what ListenConfig gives for tcp
	})
}

// atPlace binds at the port of a place, or at one of its ports, beginning with any. The network is
// the one of the place's family, or that of both.
func atPlace[T any](network string, place policy.Place, family uint8, bind func(network string, at netip.AddrPort) (T, error)) (T, error) {
	switch {
	case place.Addr.Is4():
		network += "4"
	case !place.Addr.IsUnspecified() || family == 6:
		network += "6"
	}
	ports := int(place.Last) - int(place.First) + 1
	first := rand.IntN(ports)
	for i := 0; ; i++ {
		port := place.First + uint16((first+i)%ports)
		bound, err := bind(network, netip.AddrPortFrom(place.Addr, port))
		if err == nil || i+1 >= min(ports, portAttempts) || codeOf(err) != wire.AddressInUse {
			return bound, err
		}
	}
}

// listening is a listener as the connection of a listen stream: Read gives the records, Write takes
// the client's backlogs, and the client's FIN closes it.
type listening struct {
	*net.TCPListener
	relay   *service
	session uint64
	end     func()        // ends its stream
	freed   chan struct{} // capacity 1: awaitRoom is to look again
	ended   chan struct{} // closed by Close
	once    sync.Once
	accepts sync.WaitGroup

	mu       sync.Mutex
	readable sync.Cond
	records  []byte // that Read has not returned
	err      error  // behind the records; nil: there may be more
	partial  []byte // of a backlog
	window   int    // announced connections that may wait; 0: the client has not listened
	waiting  int
}

var _ egress.Conn = (*listening)(nil)

// Read implements net.Conn.
func (l *listening) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.records) == 0 && l.err == nil {
		l.readable.Wait()
	}
	if len(l.records) == 0 {
		return 0, l.err
	}
	n := copy(b, l.records)
	l.records = l.records[n:]
	l.wake()
	return n, nil
}

// stop implements portHolder.
func (l *listening) stop() { l.end() }

// Write implements net.Conn. The first backlog begins to accept.
func (l *listening) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for ; len(l.partial) >= records.BacklogSize; l.partial = l.partial[records.BacklogSize:] {
		backlog := int(min(records.DecodeBacklog(l.partial), maxAnnounced))
		setBacklog(l.TCPListener, systemBacklog)
		first := l.window == 0
		l.window = max(backlog, 1)
		l.wake()
		if first && l.err == nil {
			l.accepts.Go(l.acceptAll) // Close waits for it
		}
	}
	return len(b), nil
}

// acceptAll accepts for as long as the listener is open.
func (l *listening) acceptAll() {
	pause := acceptPause
	for l.awaitRoom() {
		conn, err := l.AcceptTCP()
		switch {
		case err != nil && l.over():
			return
		case err == nil:
			pause = acceptPause
			l.announce(conn)
			continue
		case !passes(err):
			l.finish(err)
			return
		}
		select { // as net/http does
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		case <-l.ended:
		}
	}
}

// passes reports whether accept(2) may succeed later.
func passes(err error) bool { return codeOf(err) == wire.Limit || codeOf(err) == wire.Reset }

// awaitRoom waits until one more connection may wait to be accepted. It returns false if the
// listener has ended.
func (l *listening) awaitRoom() bool {
	for {
		l.mu.Lock()
		room := l.waiting < l.window && len(l.records) < maxUnread
		l.mu.Unlock()
		if room && !l.relay.Sockets.Over() {
			return !l.over()
		}
		again := time.NewTimer(time.Second) // the share may grow without a word
		select {
		case <-l.freed:
		case <-again.C:
		case <-l.ended:
		}
		again.Stop()
		if l.over() {
			return false
		}
	}
}

func (l *listening) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// announce lets a connection wait and queues its record.
func (l *listening) announce(conn *net.TCPConn) {
	l.mu.Lock()
	l.waiting++
	l.mu.Unlock()
	l.relay.Sockets.Hold(1)
	wait := acceptTime
	if idle := l.relay.IdleTimeout; idle > 0 {
		wait = min(wait, idle)
	}
	number, ok := l.relay.incoming.add(l.session, l, conn, wait)
	if !ok {
		l.left()
		(&arrival{conn: conn}).reset()
		return
	}
	record := records.Record{Number: number, Remote: addrPort(conn.RemoteAddr())}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records = record.Append(l.records)
	l.readable.Broadcast()
}

// left is called when an announced connection waits no more.
func (l *listening) left() {
	l.relay.Sockets.Hold(-1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting--
	l.wake()
}

// wake lets awaitRoom look again.
func (l *listening) wake() {
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

// finish ends the records with an error.
func (l *listening) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.readable.Broadcast()
}

// CloseWrite is the client's FIN: it closes the listener, and then the records end.
func (l *listening) CloseWrite() error {
	return l.leave(lastAccepts, io.EOF)
}

// Close frees the port and resets the connections that wait.
func (l *listening) Close() error { return l.leave(0, net.ErrClosed) }

// leave is Close that lets announced connections be accepted for a while. The records end with an
// error once the port is free.
func (l *listening) leave(grace time.Duration, end error) error {
	var err error
	l.once.Do(func() {
		close(l.ended)
		err = l.TCPListener.Close()
		l.finish(end)
		l.relay.incoming.leave(l.session, l, grace)
		l.accepts.Wait()
	})
	return err
}

// LocalAddr implements net.Conn.
func (l *listening) LocalAddr() net.Addr { return l.Addr() }

// RemoteAddr implements net.Conn. A listener has none.
func (l *listening) RemoteAddr() net.Addr { return nil }

// SetDeadline implements net.Conn.
func (l *listening) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

// SetReadDeadline implements net.Conn. The relay uses one that has passed to end a Read.
func (l *listening) SetReadDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		l.finish(os.ErrDeadlineExceeded)
	}
	return nil
}

// SetWriteDeadline implements net.Conn. Write does not block.
func (l *listening) SetWriteDeadline(time.Time) error { return nil }

// SetLinger implements egress.Conn. What a listener leaves is reset in any case.
func (l *listening) SetLinger(int) error { return nil }

// SetNoDelay implements egress.Conn.
func (l *listening) SetNoDelay(bool) error { return errors.ErrUnsupported }

// SetKeepAliveConfig implements egress.Conn.
func (l *listening) SetKeepAliveConfig(net.KeepAliveConfig) error { return errors.ErrUnsupported }

// SyscallConn implements egress.Conn. The relay must not take a listener for a connection.
func (l *listening) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }
