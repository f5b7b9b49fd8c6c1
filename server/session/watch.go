package session

import (
	"time"

	"github.com/sockmux/sockmux/server/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// Opening is the answer to a hello that asked for a new session.
type Opening struct {
	Began    time.Time // when the carrier was there
	Peer     Peer
	Identity *auth.Identity // nil: not known
	Session  string         // as logs name it; empty: there is none
	Agent    string         // what the client calls itself
	Err      error          // why there is none; nil: there is one
}

// Watcher is told how one session goes on. Its methods are called by several goroutines, and must not block.
type Watcher interface {
	Parked(reason error) // it has lost its carrier
	Resumed()            // it has a new one
	Ended(reason error)  // the last call, when no stream is left; the reason is a *wire.Error
}

// tellOpened tells who watches of a session that is or is not; it returns nil where nobody does.
func (r *Registry) tellOpened(o Opening) Watcher {
	if r.config.Opened == nil {
		return nil
	}
	return r.config.Opened(o)
}

// watchedBy lets somebody watch the session; nil: nobody.
func (s *session) watchedBy(w Watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watcher = w
}

// watched is the session's Watcher, or one that does nothing.
func (s *session) watched() Watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watcher == nil {
		return nobody{}
	}
	return s.watcher
}

type nobody struct{}

func (nobody) Parked(error) {}
func (nobody) Resumed()     {}
func (nobody) Ended(error)  {}

// endOf is why a session has ended, for its Watcher.
func (s *session) endOf() error {
	if err := s.link.Err(); err != nil {
		return err
	}
	return wire.NewError(wire.SessionLost, "the session was given up")
}
