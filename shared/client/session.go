package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// dialTimeout is for everything until the server's WELCOME: a proxy that swallows the upgrade must not hold the session longer.
	dialTimeout = 15 * time.Second
	// firstAttempts is how often a new session is tried: a program that waits for its socket should hear soon that there is no server.
	firstAttempts = 2
	// Backoff between attempts: at once, then from minBackoff doubling to maxBackoff, each with half of it random, so that the clients of a restarted server do
	// not come all at the same moment.
	minBackoff = 250 * time.Millisecond
	maxBackoff = 10 * time.Second
	// fruitless is how long a carrier must live to count as one that worked, where no byte has moved over it.
	fruitless = 500 * time.Millisecond
)

// session is one session with the server, from the first dial to its end.
type session struct {
	client *Client
	link   *link.Link
	mux    *mux.Session

	finished chan struct{} // closed when run has ended

	mu       sync.Mutex
	welcome  *wire.Welcome // of the first carrier; nil before
	draining bool
	running  bool
}

func newSession(c *Client) (*session, error) {
	s := &session{client: c, link: link.New(link.Config{Bound: c.config.Bound, TakesBare: c.config.Bare}), finished: make(chan struct{})}
	var err error
	s.mux, err = mux.Client(s.link, mux.Config{
		OnNotice: c.config.OnNotice,
		OnDrain: func(_ time.Duration, text string) {
			s.mu.Lock()
			s.draining = true
			s.mu.Unlock()
			if c.config.OnNotice != nil {
				c.config.OnNotice(wire.Info, wire.Draining, text)
			}
		},
	})
	return s, err
}

func (s *session) usable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.draining && s.link.Err() == nil
}

func (s *session) connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func (s *session) welcomed() *wire.Welcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.welcome
}

// run is the goroutine that owns the session.
func (s *session) run() {
	defer close(s.finished)
	c := s.client
	reason := s.connect()
	if reason == nil {
		reason = s.keep()
	}
	s.link.Fail(reason)
	s.mux.Close()
	phase := Closed
	if reason.Code == wire.OK || reason.Code == wire.Draining && c.life.Err() == nil {
		phase = Idle
	}
	if phase == Idle {
		reason = nil
	}
	c.setState(s, phase, 0, reason)
	c.mu.Lock()
	delete(c.live, s)
	if c.newest == s {
		c.newest = nil
	}
	c.mu.Unlock()
}

// connect runs the session over its first carrier and returns why it ended, or nil when it can be resumed.
func (s *session) connect() *wire.Error {
	var reason *wire.Error
	for attempt := 1; attempt <= firstAttempts; attempt++ {
		if attempt > 1 && !s.pause(backoff(attempt)) {
			break
		}
		s.client.setState(s, Connecting, attempt, reason)
		carrier, err := s.dial()
		if err != nil {
			reason = wire.NewError(wire.NotConnected, err.Error())
			continue
		}
		hello := s.hello(nil)
		ctx, cancel := context.WithTimeout(s.client.life, dialTimeout)
		err = carrier.Send(ctx, hello)
		cancel()
		if err != nil {
			_ = carrier.Close(0, "") // it is lost
			reason = wire.NewError(wire.NotConnected, err.Error())
			continue
		}
		// Streams do not wait for the welcome: their requests follow the hello.
		err = s.over(&greeting{Carrier: carrier, welcome: s.greeted}, 0)
		if ended := s.ended(err); ended != nil {
			return ended
		}
		if s.resumable() {
			return nil
		}
		if s.welcomed() != nil {
			return wire.NewError(wire.SessionLost, err.Error())
		}
		return wire.NewError(wire.NotConnected, "the server did not answer: "+err.Error())
	}
	if reason == nil {
		reason = wire.NewError(wire.Aborted, "the client was closed")
	}
	return reason
}

// keep resumes the session again and again, and returns why that came to an end.
func (s *session) keep() *wire.Error {
	lost := wire.NewError(wire.SessionLost, "the connection was lost")
	reason, deadline := lost, time.Now().Add(s.welcomed().Grace)
	for attempt := 1; ; attempt++ {
		if attempt > 1 && !s.pause(min(backoff(attempt), time.Until(deadline))) {
			return wire.NewError(wire.Aborted, "the client was closed")
		}
		if !time.Now().Before(deadline) {
			return wire.NewError(wire.SessionLost, "the server could not be reached for the grace period: "+reason.Text)
		}
		s.client.setState(s, Resuming, attempt, reason)
		began, before := time.Now(), s.progress()
		err := s.resume()
		if ended := s.ended(err); ended != nil {
			return ended
		}
		if !s.ran(err) {
			reason = wire.NewError(wire.NotConnected, err.Error())
			continue
		}
		// It was resumed, and lost again. Where that served nothing, something on the way cuts every carrier, and haste would make a storm of it.
		reason, deadline = lost, time.Now().Add(s.welcomed().Grace)
		if s.progress() > before || time.Since(began) > fruitless {
			attempt = 0
		}
		s.client.setState(s, Resuming, attempt+1, reason) // also while it pauses
	}
}

// progress is a figure that grows with every byte that has arrived at either end.
func (s *session) progress() uint64 {
	stats := s.link.Stats()
	return stats.Received + stats.Sent - uint64(stats.Unacknowledged)
}

// errNotResumed wraps what failed before the session was resumed.
type errNotResumed struct{ error }

func (s *session) ran(err error) bool {
	var not errNotResumed
	return !errors.As(err, &not)
}

// resume dials and runs the session over the new carrier. Its error is an errNotResumed if it came to no run.
func (s *session) resume() error {
	carrier, err := s.dial()
	if err != nil {
		return errNotResumed{err}
	}
	known := s.welcomed().Session
	ctx, cancel := context.WithTimeout(s.client.life, dialTimeout)
	defer cancel()
	err = carrier.Send(ctx, s.hello(&wire.Resume{ID: known.ID, Secret: known.Secret, Received: s.link.Received()}))
	if err != nil {
		_ = carrier.Close(0, "") // it is lost
		return errNotResumed{err}
	}
	var received *uint64
	first := &greeting{Carrier: carrier, welcome: func(w wire.Welcome) *wire.Error {
		received = w.Resumed
		if received == nil {
			return wire.NewError(wire.Protocol, "the server made a new session where one was to be resumed")
		}
		return nil
	}}
	if err := first.greet(ctx); err != nil {
		_ = carrier.Close(0, "") // a refusal was read, and nothing else will come
		if e := (*wire.Error)(nil); errors.As(err, &e) {
			s.link.Fail(e)
			return e
		}
		return errNotResumed{err}
	}
	cancel()
	s.client.setState(s, Open, 0, nil)
	return s.over(carrier, *received)
}

// over runs the link over a carrier.
func (s *session) over(carrier link.Carrier, received uint64) error {
	s.setRunning(true)
	defer s.setRunning(false)
	return s.link.Run(s.client.life, carrier, received)
}

func (s *session) setRunning(running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = running
}

// ended says why the session is over for good, or returns nil.
func (s *session) ended(err error) *wire.Error {
	var e *wire.Error
	switch {
	case s.client.life.Err() != nil:
		return wire.NewError(wire.OK, "the client was closed")
	case errors.As(err, &e):
		return e
	case s.link.Err() != nil:
		return wire.NewError(wire.SessionLost, err.Error())
	}
	return nil
}

func (s *session) resumable() bool {
	w := s.welcomed()
	return w != nil && w.Capabilities&wire.CanResume != 0 && w.Grace > 0 && w.Session != nil
}

func (s *session) dial() (link.Carrier, error) {
	ctx, cancel := context.WithTimeout(s.client.life, dialTimeout)
	defer cancel()
	return s.client.config.Dial(ctx)
}

func (c *Client) capabilities() wire.Capabilities {
	if c.config.Bare {
		return wire.CanResume | wire.CanBare
	}
	return wire.CanResume
}

func (s *session) hello(resume *wire.Resume) []byte {
	h := wire.Hello{Version: wire.Version, Capabilities: s.client.capabilities(), Resume: resume, Agent: s.client.config.Agent}
	if s.client.config.Token != nil {
		h.Token = s.client.config.Token()
	}
	return h.Append(nil)
}

// greeted takes the welcome of a new session.
func (s *session) greeted(w wire.Welcome) *wire.Error {
	if w.Session == nil {
		return wire.NewError(wire.Protocol, "the server resumed a session where a new one was asked for")
	}
	s.mu.Lock()
	s.welcome = &w
	s.mu.Unlock()
	s.link.SetKeepalive(w.PingAfter, w.DeadAfter)
	s.client.setState(s, Open, 0, nil)
	return nil
}

// pause waits; it returns false when the client was closed.
func (s *session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.client.kicked():
	case <-s.client.life.Done():
		return false
	}
	return true
}

// backoff is the pause before an attempt, from the second on.
func backoff(attempt int) time.Duration {
	d := maxBackoff
	if shift := attempt - 2; shift < 6 {
		d = min(d, minBackoff<<shift)
	}
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}
