package posix

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts"
	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// Front serves programs. Any number of goroutines may use it.
type Front struct{ sessions *session.Registry }

// New returns a Front that opens its sessions at the given registry.
func New(sessions *session.Registry) *Front { return &Front{sessions} }

// Serve serves the program of one WebSocket until its end, and closes the WebSocket. token
// is its credential, empty for none. The error says why the connection has ended.
func (f *Front) Serve(ctx context.Context, t Transport, peer session.Peer, token string) error {
	return fronts.Serve(ctx, f.sessions, t, peer, token, agent, func(terms session.ForeignTerms) (session.Foreign, error) {
		return open(t, terms)
	})
}

// tunnel is the session of one program: a session.Foreign.
type tunnel struct {
	bridge    *bridge
	transport Transport
	streams   *local.Tunnel
	received  *budget.Account // of messages
	alive     alive
	keepalive time.Duration
	done      chan struct{} // closed when err is set

	mu     sync.Mutex
	err    *wire.Error // why the connection has ended; nil: it has not
	byPeer bool        // the client has ended it, or is gone: streams end as those of a program that ends
}

var _ session.Foreign = (*tunnel)(nil)

func open(t Transport, terms session.ForeignTerms) (session.Foreign, error) {
	streams := local.Open(terms)
	opened := &tunnel{transport: t, streams: streams, received: terms.Mux.Written, keepalive: terms.Keepalive, done: make(chan struct{})}
	send := func(messages ...[]byte) error {
		err := t.Send(messages...)
		if err == nil {
			opened.alive.heard() // what the network takes, the client takes, but for a bounded part
		}
		return err
	}
	opened.bridge = newBridge(streams, terms.Mux.Written, terms.Unsent, send, func() { opened.end(fronts.ErrLost, true) })
	return opened, nil
}

// end keeps the first reason.
func (t *tunnel) end(err *wire.Error, byPeer bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err, t.byPeer = err, byPeer
		close(t.done)
	}
}

// Run implements session.Foreign.
func (t *tunnel) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { t.end(fronts.ErrLost, false) })
	defer stop()
	t.transport.Admit(calls.MaxHead+maxData, t.received, t.alive.heard)
	life, endLife := context.WithCancel(context.Background()) // of the transport
	var tasks sync.WaitGroup
	tasks.Go(t.receive)
	tasks.Go(func() { t.watch(life) })
	<-t.done
	t.finish()
	endLife()
	tasks.Wait()
	return t.Err()
}

// finish ends the calls, tells the client, and closes its connection.
func (t *tunnel) finish() {
	t.mu.Lock()
	why, byPeer := t.err, t.byPeer
	t.mu.Unlock()
	if byPeer && why.Code == wire.SessionLost {
		t.transport.Abort() // nothing can be told
	}
	timer := time.AfterFunc(fronts.EndTimeout, t.transport.Abort)
	t.bridge.end()
	if byPeer {
		t.bridge.sockets.cutSends() // one that has not begun to write would find its stream ended
		t.streams.Finish()
	} else {
		t.streams.Fail(why)
	}
	t.bridge.close()
	t.bridge.results.end()
	timer.Stop()
	t.transport.Dismiss()
	code := why.Code.CloseCode()
	if why.Code == wire.SessionLost && byPeer {
		code = 0
	}
	_ = t.transport.Close(code, why.Text) // why is known to the caller
}

// receive takes messages until the client ends the connection or it is lost.
func (t *tunnel) receive() {
	for {
		message, cut, err := t.transport.Receive()
		if err != nil {
			t.end(fronts.EndOf(err), true)
			return
		}
		t.bridge.take(message, cut)
	}
}

// Drain implements session.Foreign: the protocol has no word for it.
func (t *tunnel) Drain(time.Duration, string) {}

// Shutdown implements session.Foreign: what was answered is sent in any case.
func (t *tunnel) Shutdown(_ context.Context, code wire.Code, text string) error {
	t.end(wire.NewError(code, text), false)
	return nil
}

// Fail implements session.Foreign.
func (t *tunnel) Fail(err *wire.Error) { t.end(err, false) }

// Close implements session.Foreign. Run has returned, or is never called.
func (t *tunnel) Close() {
	t.end(fronts.ErrLost, false)
	t.bridge.end()
	t.streams.Close()
	t.bridge.close()
}

// Done implements session.Foreign.
func (t *tunnel) Done() <-chan struct{} { return t.done }

// Err implements session.Foreign.
func (t *tunnel) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		return nil
	}
	return t.err
}

// RTT implements session.Foreign.
func (t *tunnel) RTT() time.Duration { return t.alive.rtt() }
