package yamux

import (
	"context"
	"time"

	"github.com/sockmux/sockmux/server/fronts"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// Path is where the WebSocket is, below the server's prefix.
	Path = "v1/yamux"
	// Subprotocol is the WebSocket's. A client offers it beside nothing but its token.
	Subprotocol = "yamux"
)

// agent is what these clients are called in logs. They have no message in which to say
// more.
const agent = "yamux"

// Front serves plain clients. Any number of goroutines may use it.
type Front struct{ sessions *session.Registry }

// New returns a Front that opens its sessions at the given registry.
func New(sessions *session.Registry) *Front { return &Front{sessions} }

// Serve serves the client of one WebSocket until its end, and closes the WebSocket. token
// is the client's credential, empty for none. The error says why the connection has
// ended.
func (f *Front) Serve(ctx context.Context, t Transport, peer session.Peer, token string) error {
	return fronts.Serve(ctx, f.sessions, t, peer, token, agent, func(terms session.ForeignTerms) (session.Foreign, error) {
		return open(t, terms)
	})
}

// tunnel is the session of one client: a session.Foreign.
type tunnel struct {
	*conn
	mux       *mux.PlainSession
	keepalive time.Duration
}

var _ session.Foreign = (*tunnel)(nil)

func open(t Transport, terms session.ForeignTerms) (session.Foreign, error) {
	c := newConn(t, terms.Unsent)
	streams, err := mux.PlainServer(c, terms.Mux, func(ctx context.Context, stream *mux.Stream) { terms.Handle(ctx, stream) })
	if err != nil {
		return nil, err
	}
	return &tunnel{c, streams, terms.Keepalive}, nil
}

// Run implements session.Foreign.
func (t *tunnel) Run(ctx context.Context) error {
	t.transport.Admit()
	t.mux.Ping() // for the round trip
	stop := t.silence.watch(t.keepalive, t.mux.Ping, func() { t.end(fronts.ErrSilent, true) })
	defer stop()
	return t.run(ctx, t.mux.Farewell)
}

// Drain implements session.Foreign.
func (t *tunnel) Drain(in time.Duration, text string) { t.mux.Drain(in, text) }

// Shutdown implements session.Foreign.
func (t *tunnel) Shutdown(ctx context.Context, code wire.Code, text string) error {
	return t.shutdown(ctx, code, text)
}

// Close implements session.Foreign.
func (t *tunnel) Close() { t.mux.Close() }

// Err implements session.Foreign: unlike that of a mux.Conn, it tells a connection that
// was lost from one that the client has closed.
func (t *tunnel) Err() error { return t.reason() }

// RTT implements session.Foreign.
func (t *tunnel) RTT() time.Duration { return t.mux.RTT() }
