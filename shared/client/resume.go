package client

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// unconfirmedMost is how many carriers in a row may end between the WELCOME and the answer
	// to the first PING, in a session that never had such an answer. One or two are bad luck;
	// more are a proxy that holds answers back until the carrier ends. A carrier that takes
	// all its time without a WELCOME counts as two.
	unconfirmedMost = 3
	// fruitless is how long a carrier must live to count as one that worked, where no byte has
	// moved over it.
	fruitless = 500 * time.Millisecond
)

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
		// It was resumed, and lost again. If that served nothing, something on the way cuts every
		// carrier, and an attempt at once would make a storm.
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
		return 0, wire.NewError(wire.Protocol,
			"the server resumed at byte "+strconv.FormatUint(*w.Resumed, 10)+", which this end does not have")
	}
	return *w.Resumed, nil
}
