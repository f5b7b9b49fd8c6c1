// Package events is the closed set of what happens in the server, and the one way in which it is
// reported. Log, metrics, status page and traces are sinks:
//
//	sinks := events.Sinks{log, metrics, status}
//	sinks.Record(events.SessionOpened{Client: client, Began: began})
//
// A new event is a struct here with the method event. Each sink takes the events it has a use for.
package events

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Event is one of the structs of this package.
type Event interface{ event() }

// Sink takes events. Record is called by the goroutine to which the event happens, by several at
// once, and must not block. Events of one session, and of one stream, come in their order.
type Sink interface{ Record(Event) }

// Sinks are several sinks as one. The zero value drops every event.
type Sinks []Sink

// Record implements Sink.
func (s Sinks) Record(e Event) {
	for _, sink := range s {
		sink.Record(e)
	}
}

// Client says whose session or stream an event is about, as far as it is known.
type Client struct {
	Number    uint64 // of the session, counted from 1; 0: there is none
	Session   string // its name in logs; empty: there is none
	Peer      string // address of the client
	Identity  string // empty: not known
	Anonymous bool   // Identity is the name of all clients, since none authenticates
	Method    string // how the identity was proved
	Policy    string // as the identity names it; empty: the default
	Agent     string // what the client calls itself
	Origin    string // of the page, as its browser says; empty: there is none
}

// Name returns the identity, or nothing where no client authenticates: a name that all have says
// nothing to people.
func (c Client) Name() string {
	if c.Anonymous {
		return ""
	}
	return c.Identity
}

// UpgradeRefused is a request that did not become a WebSocket.
type UpgradeRefused struct {
	Client  Client
	Status  int // of the HTTP answer
	Refusal Refusal
}

// HandshakeFailed is a WebSocket that did not become a session, for whatever reason. Refused tells
// of it too if the server has refused the session.
type HandshakeFailed struct {
	Client Client
	Began  time.Time   // when the WebSocket was there
	Header http.Header // of the upgrade; may be nil
	Err    error
}

// SessionOpened is a new session.
type SessionOpened struct {
	Client Client
	Began  time.Time   // when its WebSocket was there
	Header http.Header // of the upgrade; may be nil
}

// SessionDetached is a session that has lost its WebSocket and is kept.
type SessionDetached struct {
	Client  Client
	Reason  error
	Streams int
}

// SessionResumed is a session that has a new WebSocket.
type SessionResumed struct {
	Client  Client
	Peer    string // of the new WebSocket
	Streams int
}

// SessionEnded is the last event of a session. None of its streams is left.
type SessionEnded struct {
	Client   Client
	Err      error // why the session has ended: a *wire.Error, ok for a clean close
	Reason   error // why its WebSocket has ended; nil if it had none
	Expired  bool  // it was detached, and the client did not come back in time
	Streams  int   // that were open when it ended
	Duration time.Duration
}

// Refused is something that the server would not do, or that it has ended because it must not go
// on. The streams that a policy or the relay refuses are in StreamAnswered.
type Refused struct {
	Subject Subject
	Client  Client
	Request wire.Request // of a refused stream
	Refusal Refusal
}

// StreamOpened is a stream that the relay begins to serve. Stream counts from 1.
type StreamOpened struct {
	Stream  uint64
	Client  Client
	Request wire.Request
}

// StreamStep is one step on the way to the answer. Steps of one stream overlap.
type StreamStep struct {
	Stream uint64
	Step   Step
	To     netip.AddrPort // of a dial; invalid for other steps
	Began  time.Time
	Ended  time.Time
	Code   wire.Code // of Err
	Err    error     // in full, not for the client; nil: success
}

// StreamAnswered is the answer to a stream.
type StreamAnswered struct {
	Stream  uint64
	Client  Client
	Request wire.Request
	Code    wire.Code
	Took    time.Duration // policy, name and connection together
	Refusal *Refusal      // nil unless the server itself has refused the stream
}

// StreamEnded is the last event of a stream.
type StreamEnded struct {
	Stream   uint64
	Client   Client
	Request  wire.Request
	Code     wire.Code
	Err      error          // in full, not for the client; nil for a clean end
	Refused  bool           // the server itself has refused it, as StreamAnswered says
	Unused   bool           // the client closed it before the answer and had written nothing
	Limit    limit.Reason   // that has ended it; empty: none
	Remote   netip.AddrPort // that it was connected to; invalid: to none
	Dialed   netip.AddrPort // that the client was told of: Remote, or that of the failed dial
	Up, Down int64          // bytes given to the target, to the client
	Dial     time.Duration  // policy, name and connection together
	Duration time.Duration
}

func (UpgradeRefused) event()  {}
func (HandshakeFailed) event() {}
func (SessionOpened) event()   {}
func (SessionDetached) event() {}
func (SessionResumed) event()  {}
func (SessionEnded) event()    {}
func (Refused) event()         {}
func (StreamOpened) event()    {}
func (StreamStep) event()      {}
func (StreamAnswered) event()  {}
func (StreamEnded) event()     {}

// Step is a part of the way from a request to its answer.
type Step string

// The steps. A stream that is refused has no further ones.
const (
	StepPolicy  Step = "policy"  // the policy is asked: of the host, then of its addresses
	StepResolve Step = "resolve" // the resolver is asked; an address needs no lookup
	StepDial    Step = "dial"    // one address is connected to; several dials may overlap
)
