package relay

import (
	"cmp"
	"context"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/budget"
)

// Terms are what holds for one stream: those of the client that opened it.
type Terms struct {
	Policy      *policy.Policy // nil: that of Config
	Listen      policy.ListenRules
	Resolver    Resolver      // nil: that of Config
	DialTimeout time.Duration // as in Config
	IdleTimeout time.Duration // likewise
	Lifetime    time.Duration // after which the stream is reset, whatever it does; 0: never
	Meter       Meter         // nil: every byte may pass at once
	// MaxListeners is how many listeners one session may have; 0: any number.
	MaxListeners int
	// Sockets is what the session's incoming connections are held on until they are accepted, one
	// each. While it is over its share, no more are taken from the system. nil: no bound.
	Sockets *budget.Account
	// Memory is what the session holds. What a stream keeps beside what the session counts for
	// every stream is added to it. nil: no bound.
	Memory *budget.Account
	// Client is whose stream it is. Its Number tells sessions apart: an incoming connection is
	// accepted in the session of its listener only.
	Client events.Client
	// Outlives ends, with a cause, where the stream may not outlive its session any longer.
	// nil: it may for as long as the target takes what the client wrote.
	Outlives context.Context
}

// Meter says when bytes may pass; *limit.Client is one.
type Meter interface {
	// Take waits until n more bytes may pass, ctx has ended, which gives its cause, or
	// stop is closed, which gives nil: the bytes are not wanted any more. stop may be nil.
	// Any error ends the stream, with the code of the *wire.Error in it.
	Take(ctx context.Context, stop <-chan struct{}, n int) error
	// Unbounded reports whether all bytes may pass at present. Count counts some that have passed
	// without a Take then.
	Unbounded() bool
	Count(n int)
	// Begin counts one more target of a stream that has several. An error refuses it.
	Begin() error
}

// service is a relay on the terms of one stream.
type service struct {
	*Relay
	Terms         // complete
	number uint64 // of the stream
}

// on returns the service of a new stream on these terms. Those of Config stand for a policy, a
// resolver and an end of Outlives that are missing.
func (r *Relay) on(terms Terms) *service {
	if terms.Policy == nil {
		terms.Policy = r.defaults.Policy
	}
	if terms.Resolver == nil {
		terms.Resolver = r.defaults.Resolver
	}
	if terms.Outlives == nil {
		terms.Outlives = r.defaults.Outlives
	}
	terms.DialTimeout = cmp.Or(terms.DialTimeout, DefaultDialTimeout)
	return &service{r, terms, r.live.number()}
}
