package session

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// session is one client's streams. It has a carrier, or is detached and waits for one, or
// has ended.
type session struct {
	registry *Registry
	number   uint64 // counted from 1
	known    wire.Session
	name     string // in logs
	peer     Peer   // of the first carrier
	resumes  bool   // the client can
	agent    string
	began    time.Time
	account  *limit.Client
	key      string // of the client, in the book
	waits    uint64 // how many had lost a carrier when this one did; guarded by the registry
	memory   memory
	gone     chan struct{} // closed when nothing of the session is left
	outlives context.Context
	cutOff   context.CancelCauseFunc // ends outlives
	sockets  *budget.Account
	tunnel   tunnel
	link     *link.Link // of the tunnel; nil: a Foreign, which is not resumed

	turn      chan struct{} // capacity 1: filled by the Serve that runs the session
	mu        sync.Mutex
	newest    context.CancelCauseFunc // ends the claim of the newest carrier, which runs the session or waits for its turn
	expiry    *time.Timer             // of a detached session
	lost      time.Time               // when the last carrier was lost over which the client was heard; zero: none yet
	ended     bool
	closed    time.Time // when the session ended; its streams may outlive it
	condemned bool      // it is being ended for a reason of its own

	secured  *tls.ConnectionState // of the newest carrier that proved the identity; nil: without TLS
	proved   *auth.Identity       // as the newest credentials gave it
	identity *auth.Identity       // as they would give it now
	overdue  *time.Timer          // when the session may have to end; nil: not yet watched

	active   int       // streams that are served
	idleFrom time.Time // of a session without streams
	draining bool
	idle     chan struct{} // closed when draining and no stream is served
}

// newSession makes a session, whose tunnel open sets.
func newSession(r *Registry, who admitted, account *limit.Client, agent string, open func(*session) error) (*session, error) {
	s := &session{
		registry: r, peer: who.peer, secured: who.peer.TLS, proved: who.proved, identity: who.now, account: account, key: who.key(), gone: make(chan struct{}), memory: r.newMemory(), sockets: r.config.Sockets.Account(), began: time.Now(), idleFrom: time.Now(), idle: make(chan struct{}), turn: make(chan struct{}, 1),
		agent: agent,
	}
	s.outlives, s.cutOff = context.WithCancelCause(context.Background()) // until close
	_, _ = rand.Read(s.known.ID[:])                                      // never fails (crypto/rand)
	_, _ = rand.Read(s.known.Secret[:])
	s.name = nameOf(s.known)
	if err := open(s); err != nil {
		s.memory.close()
		s.sockets.Close()
		s.cutOff(nil)
		return nil, fmt.Errorf("session: %w", err)
	}
	return s, nil
}

// spareStreams is how many streams there may be beside those that are served: that wait
// for their requests, are being refused, or wait for the client's FIN.
const spareStreams = 64

// muxConfig is for the streams of the session.
func (s *session) muxConfig() mux.Config {
	return mux.Config{WindowBudget: windowBudget, Received: s.memory.received, Written: s.memory.buffers, MaxStreams: s.maxStreams}
}

// maxStreams is what mux.Config asks for.
func (s *session) maxStreams() int { return s.account.Limits().Streams + spareStreams }

// handle serves one stream within the limits of the session.
func (s *session) handle(ctx context.Context, stream Stream) {
	client := s.client()
	if err := s.enter(); err != nil {
		s.registry.refusedStream(events.NewStream, client.Event, stream.Request(), err)
		var e *wire.Error
		errors.As(err, &e)                                        // one is in all that enter returns
		_ = stream.Reply(wire.Result{Code: e.Code, Text: e.Text}) // fails only with the session
		_ = stream.Close()
		return
	}
	stream.After(s.leave)
	s.registry.relieveSockets()
	s.registry.config.Handle(ctx, stream, client)
}

// client is whose session it is, as of now.
func (s *session) client() Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Client{Peer: s.peer, Identity: s.identity, Account: s.account, Event: s.eventLocked(), Sockets: s.sockets, Memory: s.memory.buffers, Outlives: s.outlives}
}

// event describes the session as of now.
func (s *session) event() events.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.eventLocked()
}

func (s *session) eventLocked() events.Client {
	e := eventOf(s.peer, s.identity, s.agent)
	e.Number, e.Session = s.number, s.name
	return e
}

func (s *session) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch most := s.account.Limits().Streams; {
	case s.draining:
		return errDraining
	case s.active >= most:
		return limit.Refuse(limit.Streams, "the session has its %d streams", most)
	}
	if s.memory.over() {
		return limit.Refuse(limit.Memory, "the session holds its share of the server's memory")
	}
	if s.sockets.Over() {
		return limit.Refuse(limit.Descriptors, "the session has its share of the server's sockets")
	}
	if err := s.account.Begin(); err != nil {
		return err
	}
	s.active++
	s.sockets.Hold(1)
	s.memory.buffers.Hold(streamCost)
	return nil
}

func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	s.sockets.Hold(-1)
	s.memory.buffers.Hold(-streamCost)
	if s.active > 0 {
		return
	}
	s.idleFrom = time.Now()
	s.scheduleLocked()
	if s.draining {
		close(s.idle)
	}
}

func (s *session) streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active
}

// drain lets no more streams begin, and tells the client.
func (s *session) drain(in time.Duration, text string) {
	s.mu.Lock()
	again := s.draining
	s.draining = true
	if !again && s.active == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	s.tunnel.Drain(in, text)
}

// fail ends the session at once; the client is told if it has a carrier.
func (s *session) fail(err *wire.Error) {
	s.tunnel.Fail(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil && s.expiry.Stop() {
		s.expiry.Reset(0) // a detached session is ended by its expiry
	}
}

// close frees everything and records the end, once the session has ended and no carrier runs it.
// The caller fills in what only it knows of the end.
func (s *session) close(end events.SessionEnded) {
	s.mu.Lock()
	again := s.ended
	if s.ended = true; !again {
		s.closed = time.Now()
	}
	if s.overdue != nil {
		s.overdue.Stop()
	}
	s.mu.Unlock()
	if again {
		return
	}
	s.registry.remove(s)
	s.tunnel.Close()
	s.cutOff(nil)
	s.registry.forget(s)
	s.account.Leave() // behind the last stream
	s.sockets.Close()
	s.memory.close()
	defer close(s.gone)
	end.Client, end.Err, end.Duration = s.event(), s.endOf(), time.Since(s.began)
	s.registry.config.Events.Record(end)
}

// endOf is why a session has ended.
func (s *session) endOf() error {
	if err := s.tunnel.Err(); err != nil {
		return err
	}
	return wire.NewError(wire.SessionLost, "the session was given up")
}

// detach keeps the session, which has lost its carrier for that reason, for the grace
// period; it returns false where that is not allowed. The caller has the turn.
func (s *session) detach(reason error) bool {
	r := s.registry
	if !s.resumes || !r.resumable() {
		return false
	}
	if err := r.detach(s); err != nil {
		r.refused(events.Detaching, s.event(), err)
		return false
	}
	// Before there is an expiry, which may tell of the end.
	r.config.Events.Record(events.SessionDetached{Client: s.event(), Reason: reason, Streams: s.streams()})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost.IsZero() {
		s.lost = time.Now()
	}
	// A resume of which the client saw nothing does not begin another grace period. Otherwise a
	// path that passes hellos and no answers would keep the session without end.
	wait := max(0, r.config.Grace-time.Since(s.lost))
	if s.tunnel.Err() != nil {
		wait = 0 // fail was here, and found no expiry
	}
	s.expiry = time.AfterFunc(wait, s.expire)
	return true
}

// lostNow begins the grace period anew.
func (s *session) lostNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = time.Now()
}

// attach ends the wait of a detached session; it returns false if the session has expired.
func (s *session) attach() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		if !s.expiry.Stop() {
			return false // expire runs
		}
		s.expiry = nil
		s.registry.attach(s)
	}
	return !s.ended
}

// expire ends a detached session.
func (s *session) expire() {
	streams := s.streams()
	s.tunnel.Fail(wire.NewError(wire.SessionLost, "the client did not come back in time"))
	s.close(events.SessionEnded{Expired: true, Streams: streams})
	s.registry.attach(s)
}

// nameOf is what logs say: enough of the id to tell sessions apart, and nothing of the secret.
func nameOf(known wire.Session) string { return fmt.Sprintf("%x", known.ID[:4]) }
