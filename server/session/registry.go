// Package session keeps the server's sessions: it answers the hello of each carrier, runs
// sessions over their carriers, keeps those that have lost theirs for the grace period,
// and drains them all at the end.
//
// Goroutines: Serve runs a session in the caller's goroutine for as long as its carrier
// lives. The registry owns the goroutines of detached sessions; Close waits for them, and
// for every Serve.
package session

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// Defaults of Config.
const (
	DefaultMaxSessions = 1000
	DefaultMaxStreams  = 1024
	// DefaultHandshake is generous: the client sends its hello with the first packet
	// after the upgrade.
	DefaultHandshake = 10 * time.Second
	DefaultKeepalive = 10 * time.Second
	// DefaultBound is what no session exceeds that no configuration allows more: a
	// hostile page holds no more than this of the server's memory unacknowledged.
	DefaultBound = link.DefaultBound
)

// windowBudget is what the windows of a session may grow by, beside the 256 KiB of each
// stream and before they take of what sessions have in common. docs/SECURITY.md adds up
// what a session may hold.
const windowBudget = 16 << 20

// Config says how sessions are kept. Handle must be set; zero values stand for the
// defaults, but for Grace and MaxDetached, where 0 means never.
type Config struct {
	// Handle serves one stream of a client (mux.Server). It may detach the stream.
	Handle func(context.Context, Stream, Client)
	// Kinds are the kinds of streams that Handle serves. Clients learn which of them need a
	// capability.
	Kinds []wire.Kind
	// Authenticator says who clients are; nil: none do.
	Authenticator auth.Authenticator
	// Trusts returns an error if the certificate that a client has shown is no longer trusted.
	// It is asked at each revalidation; nil: what the handshake has verified stays trusted.
	Trusts func(*tls.ConnectionState) error
	// Limits returns what those may have whose policy has that name, and whether there is
	// such a policy. It is asked again at every revalidation and must not call the
	// registry. nil: every policy is there and has no limits but DefaultMaxStreams.
	Limits func(policy string) (limits limit.Limits, known bool)
	// Counters count what clients take; nil: one that only this registry knows.
	Counters *limit.Counters
	// Events takes what happens to sessions; nil: nothing is recorded.
	Events events.Sink
	// Memory is what all sessions together may hold, with MemoryFloor for each kind; nil: as much
	// as there is.
	Memory *budget.Budget
	// Sockets is how many streams all sessions together may have; nil: any number.
	Sockets     *budget.Budget
	MaxSessions int           // in all
	MaxDetached int           // without a carrier
	Handshake   time.Duration // from the upgrade to the hello
	Grace       time.Duration // for which a session without a carrier is kept
	Keepalive   time.Duration // of silence before a ping
	Bound       int           // bytes that are kept for a client until it acknowledges them; those beyond link.DefaultBound come out of what all sessions have in common
	Agent       string        // told to clients
}

// Registry holds the sessions. Any number of goroutines may use it.
type Registry struct {
	config Config
	tasks  sync.WaitGroup // every Serve and every expiry
	life   context.Context
	end    context.CancelFunc

	mu       sync.Mutex
	capacity capacity
	sessions map[wire.SessionID]*session
	closing  map[*session]struct{} // those that have ended, of which streams are left
	detached detached
	waited   uint64 // sessions that have lost a carrier, since the start
	opened   uint64
	resumed  uint64
	draining bool
	closed   bool
}

// capacity holds the limits of the whole registry.
type capacity struct{ sessions, detached int }

// capacity returns the given limits, as far as there is memory.
func (c *Config) capacity(sessions, detached int) capacity {
	if c.Memory != nil {
		sessions = min(sessions, SessionsIn(c.Memory.Max()))
	}
	return capacity{sessions, min(detached, sessions)}
}

// Stats are the present figures, and what has happened since the start.
type Stats struct {
	Sessions int // detached ones included
	Detached int
	Streams  int
	Opened   uint64 // sessions since the start
	Resumed  uint64 // likewise: how often one has come back over another carrier
}

// New returns an empty registry.
func New(config Config) *Registry {
	if config.Events == nil {
		config.Events = events.Sinks{}
	}
	if config.MaxSessions == 0 {
		config.MaxSessions = DefaultMaxSessions
	}
	if config.Authenticator == nil {
		config.Authenticator = auth.None{}
	}
	if config.Limits == nil {
		config.Limits = func(string) (limit.Limits, bool) { return limit.Limits{}, true }
	}
	if config.Counters == nil {
		config.Counters = limit.NewCounters()
	}
	if config.Handshake == 0 {
		config.Handshake = DefaultHandshake
	}
	if config.Keepalive == 0 {
		config.Keepalive = DefaultKeepalive
	}
	if config.Bound == 0 {
		config.Bound = DefaultBound
	}
	r := &Registry{config: config, sessions: make(map[wire.SessionID]*session), closing: make(map[*session]struct{}), detached: detached{clients: make(map[string][]*session)}, capacity: config.capacity(config.MaxSessions, config.MaxDetached)}
	r.life, r.end = context.WithCancel(context.Background()) // until Close
	if config.Memory != nil {
		r.tasks.Go(r.relieve)
	}
	return r
}

// Stats returns the present figures.
func (r *Registry) Stats() Stats {
	r.mu.Lock()
	s := Stats{Sessions: len(r.sessions), Detached: r.detached.count, Opened: r.opened, Resumed: r.resumed}
	r.mu.Unlock()
	for _, one := range r.all() { // without the lock: sessions take it under their own
		s.Streams += one.streams()
	}
	return s
}

// Capacity returns how many sessions there may be, and how many of them without a carrier.
func (r *Registry) Capacity() (sessions, detached int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.capacity.sessions, r.capacity.detached
}

// SetCapacity replaces Config's MaxSessions and MaxDetached. Sessions that exist stay.
// There are never more than Config.Memory has room for.
func (r *Registry) SetCapacity(sessions, detached int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.capacity = r.config.capacity(sessions, detached)
}

// begin counts a Serve; it fails once the registry is closed.
func (r *Registry) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errEnded
	}
	r.tasks.Add(1)
	return nil
}

var errEnded = wire.NewError(wire.Draining, "the server has ended")

// add makes a new session, whose tunnel open sets. Where there is no place for it, a
// client that has several sessions without a carrier, and more than this one, loses one.
func (r *Registry) add(who admitted, agent string, open func(*session) error) (*session, error) {
	s, victim, err := r.place(who, agent, open)
	victim.giveWay(limit.ParkedSessions, "a new session of another client needs the place")
	return s, err
}

func (r *Registry) place(who admitted, agent string, open func(*session) error) (s, victim *session, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return nil, nil, errDraining
	}
	account, err := r.config.Counters.Enter(who.key(), who.limits)
	if err != nil {
		return nil, nil, err
	}
	if len(r.sessions) >= r.capacity.sessions {
		if victim = r.surplusLocked(who.key(), account); victim == nil {
			account.Leave()
			return nil, nil, limit.Refuse(limit.Sessions, "the server has its %d sessions", r.capacity.sessions)
		}
	}
	if s, err = newSession(r, who, account, agent, open); err != nil {
		account.Leave()
		return nil, victim, err
	}
	r.sessions[s.known.ID] = s
	r.opened++
	s.number = r.opened
	return s, victim, nil
}

var errDraining = wire.NewError(wire.Draining, "the server is going away")

func (r *Registry) isDraining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

// find returns the session that a resume asks for. Whether the id or the secret is wrong
// is not told.
func (r *Registry) find(resume *wire.Resume) (*session, error) {
	r.mu.Lock()
	s := r.sessions[resume.ID]
	r.mu.Unlock()
	var secret wire.Secret
	if s != nil {
		secret = s.known.Secret
	}
	if same := subtle.ConstantTimeCompare(secret[:], resume.Secret[:]) == 1; s == nil || !same {
		return nil, wire.NewError(wire.UnknownSession, "no such session: it ended, its grace period is over, or the server was restarted")
	}
	return s, nil
}

// countResume notes that a session has come back.
func (r *Registry) countResume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumed++
}

// remove takes a session out that has ended. Its streams may outlive it, until forget.
func (r *Registry) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.known.ID)
	r.closing[s] = struct{}{}
}

// forget is called when nothing of a session is left.
func (r *Registry) forget(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.closing, s)
}

// holders returns the sessions that hold memory: also those that have ended.
func (r *Registry) holders() []*session {
	list := r.all()
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.closing {
		list = append(list, s)
	}
	return list
}

func (r *Registry) all() []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*session, 0, len(r.sessions))
	for _, s := range r.sessions {
		list = append(list, s)
	}
	return list
}

// Close ends every session at once and waits until nothing of them is left.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed, r.draining = true, true
	r.mu.Unlock()
	r.end()
	for _, s := range r.all() {
		s.fail(errEnded)
	}
	r.tasks.Wait()
}

// linkConfig is the server's side of every link.
func (r *Registry) linkConfig(memory *budget.Account) link.Config {
	return link.Config{Bound: min(r.config.Bound, link.DefaultBound), MaxBound: r.config.Bound, Memory: memory, PingAfter: r.config.Keepalive, DeadAfter: limit.DeadAfter * r.config.Keepalive, FirstDeadAfter: link.DefaultDeadAfter}
}
