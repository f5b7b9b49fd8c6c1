package client

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// Config says how a client works. Dial must be set.
type Config struct {
	// Dial opens a carrier. Its error's text is shown to people.
	Dial func(context.Context) (link.Carrier, error)
	// Token returns the credential for the next hello; nil or "": none.
	Token func() string
	Agent string
	// Bare lets the server send bare messages (docs/PROTOCOL.md, 3.2), which cost both ends
	// less. Every link.Carrier takes them.
	Bare bool
	// Bound is what is kept until the server acknowledges it, in bytes; 0: link.DefaultBound.
	Bound int
	// OnState is called with each new state, OnNotice with each notice of the server's.
	// They must return at once and must not call the client.
	OnState  func(State)
	OnNotice func(level wire.Level, code wire.Code, text string)
}

// Client opens streams. It is made by New and must be closed. Any number of goroutines may use it.
type Client struct {
	config Config
	life   context.Context
	end    context.CancelFunc
	tasks  sync.WaitGroup // every session

	mu      sync.Mutex
	newest  *session // that new streams use; nil: none
	live    map[*session]struct{}
	state   State
	retry   chan struct{} // closed by RetryNow and made anew
	closing bool
}

// New returns a client without a session.
func New(config Config) *Client {
	c := &Client{config: config, live: make(map[*session]struct{}), retry: make(chan struct{}), state: State{Since: time.Now()}}
	c.life, c.end = context.WithCancel(context.Background()) // until Close
	return c
}

// session returns the session for the next stream.
func (c *Client) session() (*session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil, wire.NewError(wire.Aborted, "the client was closed")
	}
	if s := c.newest; s != nil && s.usable() {
		return s, nil
	}
	s, err := newSession(c)
	if err != nil {
		return nil, err
	}
	c.newest = s
	c.live[s] = struct{}{}
	c.tasks.Go(s.run)
	return s, nil
}

// probeTimeout is how long a server may take to answer after RetryNow, where its round trips
// are not known to be slow.
const probeTimeout = 3 * time.Second

// slowRoundTrips is how many smoothed round trips that may be at least.
const slowRoundTrips = 4

// RetryNow says that the network may have come back or may be another: an attempt that waits
// for its time begins at once, and a carrier that looks open has to prove it within a few
// seconds.
func (c *Client) RetryNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.retry)
	c.retry = make(chan struct{})
	for s := range c.live {
		s.link.Probe(max(probeTimeout, slowRoundTrips*s.link.Stats().RTT))
	}
}

func (c *Client) kicked() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.retry
}

// Stats returns the figures of the newest session's link; ok is false where there is none.
func (c *Client) Stats() (stats link.Stats, ok bool) {
	c.mu.Lock()
	s := c.newest
	c.mu.Unlock()
	if s == nil {
		return link.Stats{}, false
	}
	return s.link.Stats(), true
}
