package session

import (
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
)

const (
	// reliefPause is how often scarce memory is looked at.
	reliefPause = time.Second
	// reliefAge is how long a session has been without a carrier before it may be ended for
	// the memory that it holds. Most pages that change their network are back by then.
	reliefAge = 5 * time.Second
	// reliefWait is how long an ended session may take to give its memory back before the next
	// is ended.
	reliefWait = 2 * time.Second
)

// relieve ends sessions while memory is scarce, one after another, until the registry is closed.
// First those without a carrier go, also those that were closed and whose targets take their
// time, and the largest of them first: little of them moves. Live
// ones stop by themselves at their share (shared/budget). Only where more is held than there is,
// the largest of all ends.
func (r *Registry) relieve() {
	tick := time.NewTicker(reliefPause)
	defer tick.Stop()
	for {
		select {
		case <-r.config.Memory.High():
		case <-tick.C:
		case <-r.life.Done():
			return
		}
		for r.config.Memory.Scarce() {
			victim := r.heaviest()
			if victim == nil {
				break
			}
			victim.unburden()
			if !victim.awaitGone() {
				break
			}
		}
	}
}

// relieveSockets ends a session that was closed, if streams have more sockets than there are for
// them: each session may have a few in any case.
func (r *Registry) relieveSockets() {
	if r.config.Sockets == nil || !r.config.Sockets.Exhausted() {
		return
	}
	if victim := r.mostClosed(); victim != nil {
		err := limit.Refuse(limit.Descriptors, "the sockets are used up, and the session was closed")
		r.refused(events.Detaching, victim.event(), err)
		victim.cutOff(err)
	}
}

// mostClosed returns the oldest of the closed sessions of the client that has most of them.
func (r *Registry) mostClosed() (victim *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := make(map[string]int)
	for s := range r.closing {
		if s.outlives.Err() == nil {
			counts[s.key]++
		}
	}
	for s := range r.closing {
		if s.outlives.Err() != nil {
			continue
		}
		if n := counts[s.key]; victim == nil || n > counts[victim.key] || n == counts[victim.key] && s.number < victim.number {
			victim = s
		}
	}
	return victim
}

// heaviest returns the session that has to end for its memory, or nil.
func (r *Registry) heaviest() *session {
	exhausted := r.config.Memory.Exhausted()
	var victim *session
	var most int64
	waits := false // of victim
	for _, s := range r.holders() {
		if s.outlives.Err() != nil {
			continue // it is about to go
		}
		held, age := s.memory.held(), s.detachedFor()
		old := age >= reliefAge
		if held <= MemoryFloor || !old && !exhausted || waits && !old {
			continue
		}
		if held > most || old && !waits {
			victim, most, waits = s, held, old
		}
	}
	return victim
}

// detachedFor returns for how long the session has had no carrier; 0 if it has one.
func (s *session) detachedFor() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return time.Since(s.closed)
	}
	if s.expiry == nil {
		return 0
	}
	return time.Since(s.lost)
}

// unburden ends the session for the memory that it holds.
func (s *session) unburden() {
	if s.over() {
		err := limit.Refuse(limit.Memory, "memory is scarce, and the session was closed")
		s.registry.refused(events.Detaching, s.event(), err)
		s.cutOff(err)
		return
	}
	if s.detachedFor() > 0 {
		s.giveWay(limit.Memory, "memory is scarce, and the session had no connection")
		return
	}
	err := limit.Refuse(limit.Memory, "memory is used up, and the session holds the most")
	s.registry.refused(events.LiveSession, s.event(), err)
	s.fail(err.Err)
}

// over reports whether the session has ended.
func (s *session) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// awaitGone waits until an ended session has given its memory back. It returns false if that
// takes too long, or the registry is closed.
func (s *session) awaitGone() bool {
	timer := time.NewTimer(reliefWait)
	defer timer.Stop()
	select {
	case <-s.gone:
		return true
	case <-timer.C:
	case <-s.registry.life.Done():
	}
	return false
}
