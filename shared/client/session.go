package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// answerTimeout is for a dial, and again for what follows it until the server's WELCOME:
	// a proxy that swallows either must not hold the session longer. It is longer than the
	// time that the server allows for a hello.
	answerTimeout = 15 * time.Second
	// firstAttempts is how often a new session is tried. A program that waits for its socket
	// learns soon that there is no server.
	firstAttempts = 2
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
	// confirmed says that a PING that followed a WELCOME was answered: over the present or the
	// last carrier, and over any.
	confirmed, proved bool
}

func newSession(c *Client) (*session, error) {
	s := &session{
		client: c, finished: make(chan struct{}),
		link: link.New(link.Config{Bound: c.config.Bound, TakesBare: c.config.Bare}),
	}
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

// connect runs the session over its first carrier and returns why it ended, or nil when it
// can be resumed.
func (s *session) connect() *wire.Error {
	var reason *wire.Error
	for attempt := 1; attempt <= firstAttempts; attempt++ {
		if attempt > 1 && !s.pause(backoff(attempt)) {
			break
		}
		s.client.setState(s, Connecting, attempt, reason)
		carrier, err := s.dial(answerTimeout)
		if err != nil {
			reason = wire.NewError(wire.NotConnected, err.Error())
			if errors.Is(err, errNoUpgrade) {
				break // it took long enough
			}
			continue
		}
		hello := s.hello(nil)
		ctx, cancel := context.WithTimeout(s.client.life, answerTimeout)
		err = carrier.Send(ctx, hello)
		cancel()
		if err != nil {
			_ = carrier.Close(0, "") // it is lost
			reason = wire.NewError(wire.NotConnected, err.Error())
			continue
		}
		// Streams do not wait for the welcome: their requests follow the hello.
		err = s.first(&greeting{Carrier: carrier, welcome: s.greeted})
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

// Why a carrier is given up before it has a WELCOME.
var (
	errNoUpgrade = errors.New("the server or a proxy on the way does not answer: no WebSocket")
	errNoAnswer  = errors.New("a proxy on the way may hold answers back: no welcome")
)

// lateError is one of them, with the time that there was. It does without fmt.Errorf, which is
// large in the wasm.
type lateError struct {
	why      error
	patience time.Duration
}

func (e *lateError) Error() string { return e.why.Error() + " within " + e.patience.String() }
func (e *lateError) Unwrap() error { return e.why }

// first runs the session over its first carrier, and gives that up if no WELCOME comes.
func (s *session) first(carrier link.Carrier) error {
	ctx, cancel := context.WithCancelCause(s.client.life)
	defer cancel(nil)
	timer := time.AfterFunc(answerTimeout, func() {
		if s.welcomed() == nil {
			cancel(&lateError{errNoAnswer, answerTimeout})
		}
	})
	defer timer.Stop()
	return s.over(ctx, carrier, 0)
}

// progress is a figure that grows with every byte that has arrived at either end.
func (s *session) progress() uint64 { return s.link.Stats().Progress() }

// over runs the link over a carrier.
func (s *session) over(ctx context.Context, carrier link.Carrier, received uint64) error {
	s.setRunning(true)
	defer s.setRunning(false)
	return s.link.Run(ctx, carrier, received)
}

// setConfirmed notes whether a PING was answered over the present carrier.
func (s *session) setConfirmed(confirmed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.confirmed = confirmed
	s.proved = s.proved || confirmed
}

func (s *session) confirmedNow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.confirmed
}

func (s *session) confirmedOnce() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proved
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

func (s *session) dial(patience time.Duration) (link.Carrier, error) {
	ctx, cancel := context.WithTimeout(s.client.life, patience)
	defer cancel()
	carrier, err := s.client.config.Dial(ctx)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = &lateError{errNoUpgrade, patience}
	}
	return carrier, err
}

// kinds are the kinds of streams that programs open.
var kinds = []wire.Kind{wire.TCP, wire.UDP, wire.WebSocket, wire.Resolve, wire.Listen, wire.Accept, wire.UDPBound}

func (c *Client) capabilities() wire.Capabilities {
	all := wire.CanResume | wire.CanSocketOptions | wire.CanJoin | wire.Needs(kinds...)
	if c.config.Bare {
		all |= wire.CanBare
	}
	return all
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
	if w.Capabilities&wire.CanJoin != 0 {
		s.link.Join()
	}
	s.link.SetKeepalive(w.PingAfter, w.DeadAfter)
	s.link.Confirm(func() { s.setConfirmed(true) })
	s.client.setState(s, Open, 0, nil)
	return nil
}
