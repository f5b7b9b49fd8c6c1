package session

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// session is one client's streams. It has a carrier, or is parked and waits for one, or has ended.
type session struct {
	registry *Registry
	known    wire.Session
	peer     Peer
	resumes  bool // the client can
	began    time.Time
	link     *link.Link
	mux      *mux.Session

	turn   chan struct{} // capacity 1: filled by the Serve that runs the session
	mu     sync.Mutex
	newest context.CancelCauseFunc // ends the claim of the newest carrier, which runs the session or waits for its turn
	expiry *time.Timer             // of a parked session
	ended  bool

	active   int // streams that are served
	draining bool
	idle     chan struct{} // closed when draining and no stream is served
}

func newSession(r *Registry, peer Peer, hello wire.Hello) (*session, error) {
	s := &session{
		registry: r, peer: peer, began: time.Now(), idle: make(chan struct{}), turn: make(chan struct{}, 1),
		resumes: hello.Capabilities&wire.CanResume != 0,
		link:    link.New(r.linkConfig()),
	}
	_, _ = rand.Read(s.known.ID[:]) // never fails (crypto/rand)
	_, _ = rand.Read(s.known.Secret[:])
	var err error
	if s.mux, err = mux.Server(s.link, mux.Config{Window: window}, s.handle); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return s, nil
}

// handle serves one stream within the limits of the session.
func (s *session) handle(ctx context.Context, stream *mux.Stream) {
	if refusal := s.enter(); refusal != nil {
		_ = stream.Reply(wire.Result{Code: refusal.Code, Text: refusal.Text}) // fails only with the session
		_ = stream.Close()
		return
	}
	defer s.leave()
	s.registry.config.Handle(ctx, stream)
}

func (s *session) enter() *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch most := s.registry.config.MaxStreams; {
	case s.draining:
		return wire.NewError(wire.Draining, "the server is going away")
	case s.active >= most:
		return wire.NewError(wire.Limit, fmt.Sprintf("the session has its %d streams", most))
	}
	s.active++
	return nil
}

func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if s.draining && s.active == 0 {
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
	s.mux.Drain(in, text)
}

// fail ends the session at once; the client is told if it has a carrier.
func (s *session) fail(err *wire.Error) {
	s.link.Fail(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil && s.expiry.Stop() {
		s.expiry.Reset(0) // a parked session is ended by its expiry
	}
}

// close frees everything, once the session has ended and nobody runs it.
func (s *session) close() {
	s.mu.Lock()
	again := s.ended
	s.ended = true
	s.mu.Unlock()
	if again {
		return
	}
	s.registry.remove(s)
	s.mux.Close()
}

// park keeps the session for the grace period; it returns false where that is not allowed.
func (s *session) park() bool {
	r := s.registry
	if !s.resumes || r.config.Grace <= 0 || !r.park() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expiry = time.AfterFunc(r.config.Grace, s.expire)
	return true
}

// unpark ends the wait of a parked session; it returns false if the session has expired.
func (s *session) unpark() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		if !s.expiry.Stop() {
			return false // expire runs
		}
		s.expiry = nil
		s.registry.unpark()
	}
	return !s.ended
}

// expire ends a parked session.
func (s *session) expire() {
	s.registry.config.Logger.Info("session expired", "session", s.name(), "peer", s.peer.Address, "streams", s.streams())
	s.link.Fail(wire.NewError(wire.SessionLost, "the client did not come back in time"))
	s.close()
	s.registry.unpark()
}

// name is what logs say: enough of the id to tell sessions apart, and nothing of the secret.
func (s *session) name() string { return fmt.Sprintf("%x", s.known.ID[:4]) }
