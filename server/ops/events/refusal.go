package events

import (
	"errors"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Stage says what was refused. There are few, so that it can be a label of a metric.
type Stage string

// The stages.
const (
	StageUpgrade Stage = "upgrade" // an HTTP request that was to become a WebSocket
	StageSession Stage = "session" // a session, new or not
	StageStream  Stage = "stream"  // one socket
)

// Subject says in the words of the log what was refused.
type Subject string

// The subjects of Refused.
const (
	NewSession  Subject = "session refused"
	Resume      Subject = "resume refused"
	LiveSession Subject = "session ended early"
	Detaching   Subject = "session not kept"
	NewStream   Subject = "stream refused"
)

// Stage returns the subject's stage.
func (s Subject) Stage() Stage {
	if s == NewStream {
		return StageStream
	}
	return StageSession
}

// Refusal says why the server would not do something. What a client claims is never a Refusal.
type Refusal struct {
	Stage  Stage
	Reason string       // one of few words: a label of a metric
	Limit  limit.Reason // that was reached; empty: none
	Code   wire.Code    // that the client is told; ok at the stage upgrade
	Text   string       // for people
	Err    error        // in full, for the log; nil: Text is all
}

// RefusalOf makes a Refusal of an error with a *wire.Error in it. It returns false for another
// error: then a connection was lost and nothing was refused.
func RefusalOf(stage Stage, err error) (Refusal, bool) {
	var e *wire.Error
	if !errors.As(err, &e) {
		return Refusal{}, false
	}
	r := Refusal{Stage: stage, Reason: e.Code.String(), Code: e.Code, Text: e.Text, Err: err}
	var refused *limit.Refused
	switch {
	case errors.As(err, &refused):
		r.Limit = refused.Reason
	case stage != StageSession:
	case e.Code == wire.Unauthorized:
		r.Limit = limit.Unauthorized
	case e.Code == wire.Expired:
		r.Limit = limit.Expired
	case e.Code == wire.Internal:
		r.Limit = limit.Unchecked
	}
	if r.Limit != "" {
		r.Reason = string(r.Limit)
	}
	return r, true
}

// Refusing is what an event tells of a refusal: whose, of which target, and why.
type Refusing struct {
	Client  Client
	Target  string // HOST:PORT as it was asked for; empty unless a stream was refused
	Refusal Refusal
}

// RefusingOf returns the refusal that an event tells of, if it does. Every refusal is in exactly
// one event.
func RefusingOf(e Event) (r Refusing, ok bool) {
	switch e := e.(type) {
	case UpgradeRefused:
		return Refusing{Client: e.Client, Refusal: e.Refusal}, true
	case Refused:
		r = Refusing{Client: e.Client, Refusal: e.Refusal}
		if e.Subject == NewStream {
			r.Target = e.Request.Target()
		}
		return r, true
	case StreamAnswered:
		if e.Refusal != nil {
			return Refusing{Client: e.Client, Target: e.Request.Target(), Refusal: *e.Refusal}, true
		}
	}
	return Refusing{}, false
}
