package session

import (
	"context"
	"errors"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Review asks again, for every session, what its client may have: after the configuration
// or the credentials that the server knows have changed. Sessions whose credentials were
// revoked, or whose policy is gone, end with the code expired.
func (r *Registry) Review() {
	for _, s := range r.all() {
		s.watch()
	}
}

// watch looks at the session at once, and whenever its time may be over.
func (s *session) watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
	case s.overdue != nil:
		s.overdue.Reset(0)
	default:
		s.overdue = time.AfterFunc(0, s.revalidate)
	}
}

// revalidate ends the session if its time is over, and else waits for when that may be.
// It runs in a goroutine of the timer, which the registry waits for.
func (s *session) revalidate() {
	if s.registry.begin() != nil {
		return // everything ends
	}
	defer s.registry.tasks.Done()
	if err := s.refresh(); err != nil {
		s.terminate(err)
	}
}

// refresh brings identity and limits up to date. It returns why the session must end, or nil.
func (s *session) refresh() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	peer := s.peer
	peer.TLS = s.secured
	who, err := s.registry.standing(peer, s.proved)
	if err != nil {
		var e *wire.Error
		errors.As(err, &e) // one is in all that standing returns
		return limit.RefuseWith(limit.Expired, wire.Expired, "%s", e.Text)
	}
	s.identity = who.now
	s.account.SetLimits(who.limits)
	if l := who.limits.SessionLifetime; l > 0 && time.Since(s.began) >= l {
		return limit.Refuse(limit.SessionLifetime, "the session is %s old, and may be no older", l)
	}
	if l := who.limits.SessionIdle; l > 0 && s.active == 0 && time.Since(s.idleFrom) >= l {
		return limit.RefuseWith(limit.SessionIdle, wire.Idle, "the session had no socket for %s", l)
	}
	s.scheduleLocked()
	return nil
}

// scheduleLocked sets the timer to the moment when the session's time may be over. The
// caller holds mu.
func (s *session) scheduleLocked() {
	if s.overdue == nil || s.ended {
		return // not watched yet, or no longer
	}
	limits := s.account.Limits()
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if limits.SessionLifetime > 0 {
		sooner(s.began.Add(limits.SessionLifetime))
	}
	if limits.SessionIdle > 0 && s.active == 0 {
		sooner(s.idleFrom.Add(limits.SessionIdle))
	}
	if !s.identity.Expires.IsZero() {
		sooner(s.identity.Expires)
	}
	if next.IsZero() {
		s.overdue.Stop()
		return
	}
	s.overdue.Reset(max(0, time.Until(next)))
}

// terminate ends the session and tells the client why; what is under way towards the
// client gets there first, if it can.
func (s *session) terminate(err error) {
	s.mu.Lock()
	again := s.condemned
	s.condemned = true
	s.mu.Unlock()
	if again {
		return // two looks at once have come to the same end
	}
	var e *wire.Error
	errors.As(err, &e) // one is in all that refresh returns
	s.registry.refused(events.LiveSession, s.event(), err)
	ctx, cancel := context.WithTimeout(s.registry.life, flushTimeout)
	defer cancel()
	_ = s.tunnel.Shutdown(ctx, e.Code, e.Text) // its end is what counts
	s.fail(e)                                  // a detached one too
}

// reauthorize decides whether a session may come back. Its secret suffices where the
// identity that began it is still good, and a session that was opened with a client
// certificate needs it again. Credentials that come along may renew it, and must not be
// those of another identity.
func (s *session) reauthorize(ctx context.Context, peer Peer, token string) error {
	if err := s.sameCertificate(peer.TLS); err != nil {
		return err
	}
	identity, err := s.registry.authenticate(ctx, peer, token)
	if err == nil && !s.renew(identity, peer) {
		return wire.NewError(wire.Unauthorized, "the session belongs to another identity than "+identity.Name)
	}
	return s.refresh()
}

// renew takes newer credentials of the same identity; it returns false for those of another.
func (s *session) renew(identity *auth.Identity, peer Peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if identity.Name != s.proved.Name || identity.Method != s.proved.Method {
		return false
	}
	s.proved, s.secured = identity, peer.TLS
	return true
}
