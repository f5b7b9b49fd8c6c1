package session

import (
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
)

// Info says what a session is at one moment, for people.
type Info struct {
	ID       string // as in logs: enough to tell sessions apart, and nothing of the secret
	Identity string // empty without authentication
	Peer     string // address of the client
	Agent    string // of the client
	Began    time.Time

	Detached bool // it has no carrier
	Streams  int
	RTT      time.Duration // smoothed; 0: not known
}

// List returns the sessions of now, in any order.
func (r *Registry) List() []Info {
	all := r.all()
	list := make([]Info, len(all))
	for i, s := range all {
		list[i] = s.info()
	}
	return list
}

func (s *session) info() Info {
	rtt := s.tunnel.RTT()
	s.mu.Lock()
	defer s.mu.Unlock()
	identity := s.identity.Name
	if s.identity.Method == auth.MethodNone {
		identity = ""
	}
	return Info{
		ID: s.name, Identity: identity, Peer: s.peer.Address, Agent: s.agent, Began: s.began,
		Detached: s.expiry != nil, Streams: s.active, RTT: rtt,
	}
}
