package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
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
	// firstAttempts is how often a new session is tried: a program that waits for its socket should hear soon that there is no server.
	firstAttempts = 2
	// unconfirmedMost is how many carriers in a row may end between the WELCOME and the answer
	// to the first PING, in a session that never had such an answer. One or two are bad luck;
	// more are a proxy that holds answers back until the carrier ends. A carrier that takes
	// all its time without a WELCOME counts as two.
	unconfirmedMost = 3
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
	// confirmed says that a PING that followed a WELCOME was answered: over the present or the
	// last carrier, and over any.
	confirmed, proved bool
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

// keep resumes the session again and again, and returns why that came to an end.
func (s *session) keep() *wire.Error {
	lost := wire.NewError(wire.SessionLost, "the connection was lost")
	reason, deadline := lost, s.deadline()
	unconfirmed := 0 // carriers in a row
	if !s.confirmedNow() {
		unconfirmed++
	}
	for attempt := 1; ; attempt++ {
		if unconfirmed >= unconfirmedMost && !s.confirmedOnce() {
			return wire.NewError(wire.NotConnected, heldBack)
		}
		if attempt > 1 && !s.pause(min(backoff(attempt), time.Until(deadline))) {
			return wire.NewError(wire.Aborted, "the client was closed")
		}
		if !time.Now().Before(deadline) {
			return wire.NewError(wire.SessionLost, "the session could not be resumed within the grace period: "+reason.Text)
		}
		s.client.setState(s, Resuming, attempt, reason)
		began, before := time.Now(), s.progress()
		err := s.resume(s.answerPatience(attempt))
		if ended := s.ended(err); ended != nil {
			return ended
		}
		if failed := (*failedAttempt)(nil); errors.As(err, &failed) {
			reason = failed.reason()
			if errors.Is(failed.why, errNoAnswer) {
				unconfirmed += 2
			}
			continue
		}
		// It was resumed, and lost again. Where that served nothing, something on the way cuts every carrier, and haste would make a storm of it.
		reason, deadline = lost, s.deadline()
		confirmed := s.confirmedNow()
		if s.progress() > before || confirmed && time.Since(began) > fruitless {
			attempt = 0
		}
		unconfirmed++
		if confirmed {
			unconfirmed = 0
		}
		if unconfirmed > 1 {
			reason = wire.NewError(wire.NotConnected, heldBack)
		}
		s.client.setState(s, Resuming, attempt+1, reason) // also while it pauses
	}
}

// heldBack explains a carrier that ended between its WELCOME and the answer to a PING.
const heldBack = "the server's answers came only when the connection ended: a proxy on the way may hold them back"

// leastPatience is how long an attempt to resume may take at least: the server has to end the
// run over the older carrier before it answers.
const leastPatience = 5 * time.Second

// answerPatience is how long to wait for a dial, and again for the WELCOME, of an attempt to
// resume. It begins with the time of silence that makes a carrier dead, and doubles with each
// attempt, so that a path that is slow to connect comes through as well.
func (s *session) answerPatience(attempt int) time.Duration {
	dead := s.welcomed().DeadAfter
	if dead <= 0 {
		dead = link.DefaultDeadAfter
	}
	const doubled = 2 // times; leastPatience is beyond answerTimeout then
	return min(answerTimeout, max(dead, leastPatience)<<min(attempt-1, doubled))
}

// deadline is when the server has given the session up for certain, if its last carrier is
// lost from now on. The server counts the grace period from when it noticed the loss: what
// this end sent last may be under way for DeadAfter, and it waits for DeadAfter behind that.
// A resume whose WELCOME was lost may then hold the session until its carrier is dead.
func (s *session) deadline() time.Time {
	w := s.welcomed()
	dead := w.DeadAfter
	if dead <= 0 {
		dead = link.DefaultDeadAfter
	}
	return time.Now().Add(w.Grace + 2*dead + max(dead, link.DefaultDeadAfter))
}

// progress is a figure that grows with every byte that has arrived at either end.
func (s *session) progress() uint64 {
	stats := s.link.Stats()
	return stats.Received + stats.Sent - uint64(stats.Unacknowledged)
}

// failedAttempt is why a session was not resumed over a carrier, where it may be over another.
type failedAttempt struct{ why error }

func (f *failedAttempt) Error() string { return f.why.Error() }

// reason is what the state says.
func (f *failedAttempt) reason() *wire.Error {
	if e := (*wire.Error)(nil); errors.As(f.why, &e) {
		return e
	}
	return wire.NewError(wire.NotConnected, f.why.Error())
}

// final reports whether a CLOSE in place of WELCOME means that the session cannot be resumed
// (docs/PROTOCOL.md, 8.1). Whatever else a server or a proxy has to say concerns that carrier
// alone: the server may still have the session.
func final(code wire.Code) bool {
	switch code {
	case wire.UnknownSession, wire.Unauthorized, wire.Expired, wire.Draining, wire.UnsupportedVersion:
		return true
	default:
		return false
	}
}

// resume dials and runs the session over the new carrier. Its error is a *failedAttempt if
// it came to no run and the session may be resumed yet.
func (s *session) resume(patience time.Duration) error {
	s.setConfirmed(false)
	carrier, err := s.dial(patience)
	if err != nil {
		return &failedAttempt{err}
	}
	received, err := s.greet(carrier, patience)
	if err != nil {
		_ = carrier.Close(0, "") // a refusal was read, and nothing else will come
		if e := (*wire.Error)(nil); errors.As(err, &e) && final(e.Code) {
			s.link.Fail(e)
			return e
		}
		return &failedAttempt{err}
	}
	s.link.Confirm(func() {
		s.setConfirmed(true)
		s.client.setState(s, Open, 0, nil)
	})
	return s.over(s.client.life, carrier, received)
}

// greet sends the hello of a resume and returns how much the server has received.
func (s *session) greet(carrier link.Carrier, patience time.Duration) (received uint64, err error) {
	known := s.welcomed().Session
	ctx, cancel := context.WithTimeout(s.client.life, patience)
	defer cancel()
	err = carrier.Send(ctx, s.hello(&wire.Resume{ID: known.ID, Secret: known.Secret, Received: s.link.Received()}))
	if err != nil {
		return 0, err
	}
	w, err := welcome(ctx, carrier)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return 0, &lateError{errNoAnswer, patience}
	case err != nil:
		return 0, err
	case w.Resumed == nil:
		err = wire.NewError(wire.Protocol, "the server made a new session where one was to be resumed")
		_ = carrier.Send(ctx, wire.Close{Code: wire.Protocol, Text: err.Error()}.Append(nil)) // else it would be kept
		return 0, err
	case !s.link.Resumable(*w.Resumed):
		return 0, wire.NewError(wire.Protocol, "the server resumed at byte "+strconv.FormatUint(*w.Resumed, 10)+", which this end does not have")
	}
	return *w.Resumed, nil
}

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
	s.link.Confirm(func() { s.setConfirmed(true) })
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
