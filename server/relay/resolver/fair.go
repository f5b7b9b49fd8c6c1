package resolver

import (
	"context"
	"fmt"
	"sync"
)

// Bounds of one session's lookups that are under way. A page asks for a few names at once.
// Eight sessions that ask for what no server answers fill maxLookups, and never less than four
// fill what there is.
const (
	maxPerSession = 32
	sessionShare  = 4
)

// Source looks names up; a *Resolver is one.
type Source interface {
	// Lookup is that of Resolver.
	Lookup(ctx context.Context, network, host string) (Answer, error)
}

// Fair bounds how many lookups each session has under way; the others of that session wait.
// Any number of goroutines may use one.
type Fair struct {
	source Source
	most   int // of one session

	mu       sync.Mutex
	sessions map[string]*share // of those that look something up at present
}

// share is one session's lookups.
type share struct {
	slots chan struct{} // filled by each that is under way
	users int           // under Fair.mu
}

// NewFair returns a Fair that asks source, which takes so many lookups at once.
func NewFair(source Source, lookups int) *Fair {
	most := max(min(lookups/sessionShare, maxPerSession), 1)
	return &Fair{source: source, most: most, sessions: make(map[string]*share)}
}

// For returns the Source of one session. It holds nothing while nothing is looked up.
func (f *Fair) For(session string) Source { return view{f, session} }

// view is the Source of one session.
type view struct {
	fair    *Fair
	session string
}

// Lookup implements Source.
func (v view) Lookup(ctx context.Context, network, host string) (Answer, error) {
	s := v.fair.enter(v.session)
	defer v.fair.leave(v.session, s)
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("lookup %s: %w", host, context.Cause(ctx))
	}
	defer func() { <-s.slots }()
	return v.fair.source.Lookup(ctx, network, host)
}

func (f *Fair) enter(session string) *share {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[session]
	if s == nil {
		s = &share{slots: make(chan struct{}, f.most)}
		f.sessions[session] = s
	}
	s.users++
	return s
}

func (f *Fair) leave(session string, s *share) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(f.sessions, session)
	}
}
