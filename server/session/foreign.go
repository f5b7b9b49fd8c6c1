package session

import (
	"context"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/mux"
)

// Foreign is the session of a client that speaks the protocol of others, over one
// connection. It is not resumed. In all else it is a session as every other: it has the
// limits of its client, is counted, listed, reviewed, drained and ended.
type Foreign interface {
	tunnel
	// Run serves the connection until it has ended, and closes it. It returns why the
	// connection has ended. Err is set then.
	Run(ctx context.Context) error
}

// ForeignTerms are what a Foreign is opened with.
type ForeignTerms struct {
	// Mux and Handle are for its streams.
	Mux    mux.Config
	Handle func(context.Context, Stream)
	// Unsent holds the memory of what is for the client and not sent yet.
	Unsent *budget.Account
	// Keepalive is the silence after which the client is asked for a sign of life. After
	// twice that time it is gone.
	Keepalive time.Duration
}

// ServeForeign opens a session for a client that has the given token, empty for none, and
// serves it to its end. agent is what the client is called in logs. If the client gets no
// session, open is not called: the caller tells the client why and closes its connection.
// The error is why there is no session, or why its connection has ended.
func (r *Registry) ServeForeign(ctx context.Context, peer Peer, token, agent string, open func(ForeignTerms) (Foreign, error)) (opened bool, err error) {
	if err := r.begin(); err != nil {
		return false, err
	}
	defer r.tasks.Done()
	began := time.Now()
	who, err := r.admit(ctx, peer, token)
	var foreign Foreign
	var s *session
	if err == nil {
		s, err = r.add(who, agent, func(s *session) (err error) {
			foreign, err = open(s.foreignTerms())
			s.tunnel = foreign
			return err
		})
	}
	if err != nil {
		r.notOpened(peer, eventOf(peer, who.now, agent), began, err)
		return false, err
	}
	r.config.Events.Record(events.SessionOpened{Client: s.event(), Began: began, Header: peer.Header})
	s.watch()
	err = foreign.Run(ctx)
	s.afterRun(err)
	return true, err
}

func (s *session) foreignTerms() ForeignTerms {
	return ForeignTerms{
		Mux: s.muxConfig(), Handle: s.handle, Unsent: s.memory.unacked, Keepalive: s.registry.config.Keepalive,
	}
}
