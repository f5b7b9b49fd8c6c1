package relay

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// pipe is one stream with its connection to the target.
type pipe struct {
	relay   *service
	stream  Stream
	request wire.Request
	done    func() // called at the very end
	began   time.Time
	dialed  time.Duration // how long resolving and connecting took

	// life ends when both directions must end at once, and ends the dial with it. It does not
	// end with the session: what a client wrote before it closed its session is delivered.
	life    context.Context
	endLife context.CancelCauseFunc

	uncancel func() bool   // ends the watch for the end of the session
	canceled chan struct{} // closed when that watch has done its work
	departed chan struct{} // closed when the client has closed its session

	// Set before answered is closed.
	conn     egress.Conn // nil: there is none
	reading  reading     // of conn
	direct   direct      // likewise; of the stream while copyUp waits, else of copyUp
	idle     *idle
	lifetime *idle
	remote   netip.AddrPort
	told     netip.AddrPort // the remote address of the answer

	refusedByUs bool // the answer is a refusal of the server's own

	answered  chan struct{} // closed when the client knows whether there is a connection
	upEnded   chan struct{} // closed when copyUp has returned
	downEnded chan struct{} // closed when copyDown has returned

	up, given atomic.Int64 // bytes given to the target, to the client

	metered     atomic.Bool // bytes for the target wait for the meter
	finSent     atomic.Bool // the target has been given a FIN, or is just about to
	targetEnded atomic.Bool // the client has been given the target's FIN
	failed      atomic.Bool // refused or reset

	once   sync.Once // the first end is the reason
	ending ending
}

func newPipe(relay *service, stream Stream) *pipe {
	return &pipe{
		relay:     relay,
		stream:    stream,
		request:   stream.Request(),
		canceled:  make(chan struct{}),
		departed:  make(chan struct{}),
		answered:  make(chan struct{}),
		upEnded:   make(chan struct{}),
		downEnded: make(chan struct{}),
	}
}

// open answers, then leaves the stream to what its kind needs.
func (p *pipe) open(ctx context.Context) {
	p.life, p.endLife = context.WithCancelCause(context.WithoutCancel(ctx))
	if p.relay.live.add(p) {
		p.endLife(errRelayEnds)
	}
	p.opened()
	p.uncancel = context.AfterFunc(ctx, func() {
		defer close(p.canceled)
		p.sessionEnded(context.Cause(ctx))
	})
	go func() { // over waits for it
		p.copyUp()
		close(p.upEnded)
	}()
	serve, known := kinds[p.request.Kind]
	if !known {
		serve = (*pipe).unknown
	}
	serve(p)
}

// tcp connects and carries.
func (p *pipe) tcp() {
	conn, err := p.relay.connect(p.life, p.request)
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	p.carryTCP(conn)
}

// carryTCP answers that there is a connection, and carries its bytes.
func (p *pipe) carryTCP(conn egress.Conn) {
	p.stream.EachSocketOptions(func(options wire.SocketOptions) { setOptions(conn, options) })
	p.carry(conn, addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()))
	p.stream.Direct(p.writeDirect)
	go p.down(p.copyDown) // the caller of done waits for it
}

// carry answers that there is a connection. The caller starts down.
func (p *pipe) carry(conn egress.Conn, local, remote netip.AddrPort) {
	p.remote, p.told = remote, remote
	p.idle = startIdle(p.relay.IdleTimeout, func() {
		p.refuse(limit.RefuseWith(limit.StreamIdle, wire.Idle, "no byte in either direction for %s", p.relay.IdleTimeout))
	})
	p.join(conn, wire.Result{Code: wire.OK, Bound: local, Remote: remote})
}

// join is carry without what only a connection to another end has.
func (p *pipe) join(conn egress.Conn, answer wire.Result) {
	p.conn = conn
	p.reportAnswer(wire.OK, nil)
	if err := p.stream.Reply(answer); err != nil {
		p.abort(codeOf(err), fmt.Errorf("answering: %w", err))
	}
	p.lifetime = startIdle(p.relay.Lifetime, func() { // nothing touches it
		p.refuse(limit.Refuse(limit.StreamLifetime, "the socket is open for %s, and may be no longer", p.relay.Lifetime))
	})
	close(p.answered)
}

// unknown refuses a stream of a kind that is not served.
func (p *pipe) unknown() {
	p.turnedAway(&wire.Error{Code: wire.UnsupportedKind, Text: fmt.Sprintf("streams of kind %s are not relayed", p.request.Kind)})
}

// turnedAway ends a stream that does not come to be.
func (p *pipe) turnedAway(err error) {
	p.refused(err)
	close(p.answered)
	p.over()
}

// refused answers that there is no connection.
func (p *pipe) refused(err error) {
	result := wire.Result{Code: codeOf(err), Text: textOf(err)}
	var f *failure
	if errors.As(err, &f) {
		result.Remote = f.remote
		p.told = f.remote
	}
	p.failed.Store(true)
	p.reportAnswer(result.Code, err)
	p.end(result.Code, err)
	_ = p.stream.Reply(result) // fails only with the session
	_ = p.stream.Close()
}

// down is the goroutine of one direction, which copy serves, and of the end.
func (p *pipe) down(copy func()) {
	copy()
	close(p.downEnded)
	p.over()
}

// over waits for the other direction, frees everything and reports the end.
func (p *pipe) over() {
	<-p.upEnded
	if p.conn != nil {
		p.idle.stop()
		p.lifetime.stop()
	}
	if !p.uncancel() {
		<-p.canceled
	}
	if p.conn != nil {
		_ = p.conn.Close()
		_ = p.stream.Close()
	}
	p.endLife(nil)
	p.report()
	p.relay.live.remove(p)
	p.done()
}

// ending is how a stream ended.
type ending struct {
	code wire.Code
	err  error // nil for a clean end
}

// end keeps the reason of the stream's end unless there is one already; it reports whether
// there was none.
func (p *pipe) end(code wire.Code, err error) (first bool) {
	p.once.Do(func() {
		p.ending = ending{code, err}
		first = true
	})
	return first
}

// ended returns the reason. Both directions must have ended.
func (p *pipe) ended() ending {
	p.end(wire.OK, nil)
	return p.ending
}

// abort ends both directions at once, with a reset towards client and target.
func (p *pipe) abort(code wire.Code, err error) {
	p.failed.Store(true)
	if p.end(code, err) {
		_ = p.stream.Reset(code, textOrError(err))
	}
	p.drop()
}

// refuse ends a stream that is beyond a limit.
func (p *pipe) refuse(r *limit.Refused) { p.abort(r.Err.Code, r) }

// drop closes the connection with a reset, as a system does for a program that dies with
// bytes unread.
func (p *pipe) drop() {
	p.endLife(nil)
	if p.conn == nil {
		return
	}
	_ = p.conn.SetLinger(0)
	_ = p.conn.Close()
}

// take waits until the meter lets n bytes pass. It returns false if they must not pass; the
// stream has then been ended.
func (p *pipe) take(stop <-chan struct{}, n int) bool {
	if p.relay.Meter == nil {
		return true
	}
	err := p.relay.Meter.Take(p.life, stop, n)
	if err == nil {
		return true
	}
	if p.life.Err() == nil {
		p.abort(codeOf(err), err)
	} // else the end of life came with a reason
	return false
}

// textOrError is for reasons that the relay itself gives.
func textOrError(err error) string {
	var own *wire.Error
	if errors.As(err, &own) {
		return own.Text
	}
	return err.Error()
}
