// Package session keeps the server's sessions: it answers the hello of each carrier, runs sessions over their carriers, keeps those that have lost
// theirs for the grace period, and drains them all at the end.
//
// Goroutines: Serve runs a session in the caller's goroutine for as long as its carrier lives. The registry owns the goroutines of parked
// sessions; Close waits for them, and for every Serve.
package session

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Defaults of Config.
const (
	DefaultMaxSessions = 1000
	DefaultMaxStreams  = 1024
	DefaultKeepalive   = 10 * time.Second
	// DefaultBound is small beside the client's: a hostile page holds no more than this of the server's memory unacknowledged.
	DefaultBound = 4 << 20
)

// deadAfter is how many keepalive intervals of silence make a carrier dead.
const deadAfter = 2

// window is what one stream may have under way towards the server: a session of 1024 streams that the targets do not take holds 256 MiB at most, and only
// where a page sends that much.
const window = mux.MinWindow

// Config says how sessions are kept. Handle must be set; zero values stand for the defaults, but for Grace and MaxParked, where 0 means never.
type Config struct {
	// Handle serves one stream (mux.Server).
	Handle      func(context.Context, *mux.Stream)
	Logger      *slog.Logger
	MaxSessions int           // in all
	MaxParked   int           // without a carrier
	MaxStreams  int           // at once in one session
	Grace       time.Duration // for which a session without a carrier is kept
	Keepalive   time.Duration // of silence before a ping
	Bound       int           // bytes that are kept for a client until it acknowledges them
	Agent       string        // told to clients
}

// Registry holds the sessions. Any number of goroutines may use it.
type Registry struct {
	config Config
	tasks  sync.WaitGroup // every Serve and every expiry
	life   context.Context
	end    context.CancelFunc

	mu       sync.Mutex
	sessions map[wire.SessionID]*session
	parked   int
	draining bool
	closed   bool
}

// Stats are the present figures.
type Stats struct {
	Sessions int // parked ones included
	Parked   int
	Streams  int
}

// New returns an empty registry.
func New(config Config) *Registry {
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.MaxSessions == 0 {
		config.MaxSessions = DefaultMaxSessions
	}
	if config.MaxStreams == 0 {
		config.MaxStreams = DefaultMaxStreams
	}
	if config.Keepalive == 0 {
		config.Keepalive = DefaultKeepalive
	}
	if config.Bound == 0 {
		config.Bound = DefaultBound
	}
	r := &Registry{config: config, sessions: make(map[wire.SessionID]*session)}
	r.life, r.end = context.WithCancel(context.Background()) // until Close
	return r
}

// Stats returns the present figures.
func (r *Registry) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Sessions: len(r.sessions), Parked: r.parked}
	for _, one := range r.sessions {
		s.Streams += one.streams()
	}
	return s
}

// begin counts a Serve; it fails once the registry is closed.
func (r *Registry) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return wire.NewError(wire.Draining, "the server has ended")
	}
	r.tasks.Add(1)
	return nil
}

// add makes a new session.
func (r *Registry) add(peer Peer, hello wire.Hello) (*session, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.draining:
		return nil, wire.NewError(wire.Draining, "the server is going away")
	case len(r.sessions) >= r.config.MaxSessions:
		return nil, wire.NewError(wire.Limit, fmt.Sprintf("the server has its %d sessions", r.config.MaxSessions))
	}
	s, err := newSession(r, peer, hello)
	if err != nil {
		return nil, err
	}
	r.sessions[s.known.ID] = s
	return s, nil
}

// find returns the session that a resume asks for. Whether the id or the secret is wrong is not told.
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

// park counts a session without a carrier, if there may be one more.
func (r *Registry) park() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parked >= r.config.MaxParked || r.closed {
		return false
	}
	r.parked++
	r.tasks.Add(1) // for the expiry, which unpark or expire gives back
	return true
}

func (r *Registry) unpark() {
	r.mu.Lock()
	r.parked--
	r.mu.Unlock()
	r.tasks.Done()
}

func (r *Registry) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.known.ID)
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
		s.fail(wire.NewError(wire.Draining, "the server has ended"))
	}
	r.tasks.Wait()
}

// linkConfig is the server's side of every link.
func (r *Registry) linkConfig() link.Config {
	return link.Config{Bound: r.config.Bound, PingAfter: r.config.Keepalive, DeadAfter: deadAfter * r.config.Keepalive}
}
