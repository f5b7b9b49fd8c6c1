package session

import (
	"slices"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// detached are the sessions without a carrier, by client. The registry's lock guards it.
type detached struct {
	count   int
	clients map[string][]*session // those that have waited longest first
}

func (d *detached) add(s *session) {
	d.count++
	d.clients[s.key] = append(d.clients[s.key], s)
}

// remove takes a session out. It does nothing for one that is not in, or not any more.
func (d *detached) remove(s *session) {
	list := d.clients[s.key]
	i := slices.Index(list, s)
	if i < 0 {
		return
	}
	d.count--
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(d.clients, s.key)
		return
	}
	d.clients[s.key] = list
}

// largest returns the session that has waited longest, of the client that has the most; one of
// the given client counts as if it had extra sessions more. Of clients with as many, it is the
// one whose session has waited longest. It returns nil where that is the given client without
// any, or the most are fewer than least.
func (d *detached) largest(key string, extra, least int) *session {
	most := len(d.clients[key]) + extra
	var victim *session
	if list := d.clients[key]; len(list) > 0 {
		victim = list[0]
	}
	for _, list := range d.clients {
		n := len(list)
		if n > most || n == most && (victim == nil || list[0].waits < victim.waits) {
			most, victim = n, list[0]
		}
	}
	if most < least {
		return nil
	}
	return victim
}

// detach counts a session without a carrier. Where there is no place for one more, the client
// that has the most loses one. The error says why the session is not kept.
func (r *Registry) detach(s *session) error {
	victim, err := r.placeDetached(s)
	victim.giveWay(limit.ParkedSessions, "another client's session without a connection needs the place")
	return err
}

func (r *Registry) placeDetached(s *session) (victim *session, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errEnded
	}
	if r.detached.count >= r.capacity.detached {
		if victim = r.detached.largest(s.key, 1, 1); victim == nil {
			return nil, limit.RefuseWith(limit.ParkedSessions, wire.SessionLost,
				"the server has its %d sessions without a connection", r.capacity.detached)
		}
		r.detached.remove(victim)
	}
	r.waited++
	s.waits = r.waited
	r.detached.add(s)
	r.tasks.Add(1) // for the expiry, which attach or expire gives back
	return victim, nil
}

func (r *Registry) attach(s *session) {
	r.mu.Lock()
	r.detached.remove(s)
	r.mu.Unlock()
	r.tasks.Done()
}

// surplusLocked takes a session without a carrier away from the client that has the most of
// them, for a new session of another client, which account counts already. The caller ends it.
// It returns nil where no client has two, or more than the other, or where the other holds as
// many sessions in all: a client that has them all over carriers must not take those of one
// that has lost its carriers for a moment.
func (r *Registry) surplusLocked(key string, account *limit.Client) *session {
	victim := r.detached.largest(key, 1, 2)
	if victim == nil || victim.key == key || victim.account.Usage().Sessions <= account.Usage().Sessions {
		return nil
	}
	r.detached.remove(victim)
	delete(r.sessions, victim.known.ID)
	return victim
}

// giveWay ends a session without a carrier for another. A nil session does nothing.
func (s *session) giveWay(reason limit.Reason, why string) {
	if s == nil {
		return
	}
	err := limit.RefuseWith(reason, wire.SessionLost, "%s", why)
	s.registry.refused(events.Detaching, s.event(), err)
	s.fail(err.Err)
}
