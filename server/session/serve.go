package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// refuseTimeout is how long a carrier may take for the CLOSE that refuses it.
const refuseTimeout = 2 * time.Second

// errTakenOver ends the run of a session that has come back over another carrier.
var errTakenOver = errors.New("the session was taken over by a newer connection")

// errStale ends a carrier whose hello is older than what the client has acknowledged
// since, over another: the network or this server was slow with it. The client has given
// such a carrier up; a CLOSE would not be for it.
var errStale = errors.New("the resume is older than the session's last carrier")

// Newcomer is a carrier whose client has no session yet.
type Newcomer interface {
	link.Carrier
	// Admit is called when the client has a session: the carrier is no stranger's any more.
	// What it holds of messages counts in memory, which may be nil. It is called once at most.
	Admit(memory *budget.Account)
	// Dismiss is called when the client gets no session. A last message and Close follow.
	Dismiss()
}

// Serve runs one carrier from its hello to its end, and closes it. The error says why the
// carrier ended.
func (r *Registry) Serve(ctx context.Context, c Newcomer, peer Peer) error {
	if err := r.begin(); err != nil {
		refuse(ctx, c, err)
		return err
	}
	defer r.tasks.Done()
	began := time.Now()
	hello, err := r.receiveHello(ctx, c)
	if err != nil {
		r.notOpened(peer, events.Client{Peer: peer.Address}, began, err)
		return fmt.Errorf("hello: %w", err)
	}
	if hello.Resume != nil {
		s, err := r.find(hello.Resume)
		if err == nil {
			err = s.reauthorize(ctx, peer, hello.Token)
		}
		if err != nil {
			r.refused(events.Resume, events.Client{Peer: peer.Address, Agent: hello.Agent}, err)
			refuse(ctx, c, err)
			return err
		}
		return s.resume(ctx, c, peer, hello)
	}
	who, err := r.admit(ctx, peer, hello.Token)
	var s *session
	if err == nil {
		s, err = r.add(who, hello.Agent, func(s *session) error { return s.openLinked(hello) })
	}
	if err != nil {
		r.notOpened(peer, eventOf(peer, who.now, hello.Agent), began, err)
		refuse(ctx, c, err)
		return err
	}
	r.config.Events.Record(events.SessionOpened{Client: s.event(), Began: began, Header: peer.Header})
	s.watch()
	return s.run(ctx, c, r.welcome(hello, &s.known, nil, who.limits))
}

// notOpened records a carrier that did not become a new session.
func (r *Registry) notOpened(peer Peer, client events.Client, began time.Time, err error) {
	r.config.Events.Record(events.HandshakeFailed{Client: client, Began: began, Header: peer.Header, Err: err})
	r.refused(events.NewSession, client, err)
}

// closeTryAgain is the close code for a carrier whose hello is late (1013, IANA's registry of
// close codes). There is no CLOSE message: a client may be about to resume with that hello,
// and a CLOSE would end its session, which is still here.
const closeTryAgain = 1013

// receiveHello waits for the first message. A message that is no hello is refused with CLOSE.
func (r *Registry) receiveHello(ctx context.Context, c Newcomer) (hello wire.Hello, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	received := make(chan error, 1)
	go func() { // ends with the carrier or ctx; awaited below
		message, err := c.Receive(ctx)
		if err == nil {
			hello, err = helloOf(message)
		}
		received <- err
	}()
	timer := time.NewTimer(r.config.Handshake)
	defer timer.Stop()
	select {
	case err = <-received:
		if err != nil {
			refuse(ctx, c, err)
		}
		return hello, err
	case <-timer.C:
		err = limit.Refuse(limit.Handshake, "no hello within %s", r.config.Handshake)
		c.Dismiss()
		_ = c.Close(closeTryAgain, err.Error()) // it is given up in any case
	case <-r.life.Done():
		err = errEnded
		refuse(ctx, c, err) // before the receiver is canceled: that may cut the carrier short
	}
	cancel()
	<-received
	return wire.Hello{}, err
}

func helloOf(message []byte) (wire.Hello, error) {
	m, err := wire.Decode(message)
	if err != nil {
		return wire.Hello{}, err
	}
	hello, ok := m.(wire.Hello)
	if !ok {
		return wire.Hello{}, wire.NewError(wire.Protocol, "the first message is not a hello")
	}
	return hello, nil
}

// refuse tells the client why there is no session. The message can be read by a page; the
// close code says the same.
func refuse(ctx context.Context, c Newcomer, err error) {
	c.Dismiss()
	var e *wire.Error
	if !errors.As(err, &e) {
		_ = c.Close(0, "") // it is lost already
		return
	}
	ctx, cancel := context.WithTimeout(ctx, refuseTimeout)
	defer cancel()
	_ = c.Send(ctx, wire.Close{Code: e.Code, Text: e.Text}.Append(nil)) // the close code remains
	_ = c.Close(e.Code.CloseCode(), e.Text)                             // as above
}

func (r *Registry) welcome(hello wire.Hello, known *wire.Session, resumed *uint64, limits limit.Limits) wire.Welcome {
	config := r.linkConfig(nil)
	w := wire.Welcome{
		Version: wire.Version, Session: known, Resumed: resumed, Agent: r.config.Agent,
		Limits:    wire.Limits{Streams: uint32(limits.Streams), Unacknowledged: uint32(r.config.Bound)},
		PingAfter: config.PingAfter, DeadAfter: config.DeadAfter,
		Capabilities: hello.Capabilities & (wire.CanBare | wire.CanSocketOptions | wire.CanJoin | wire.Needs(r.config.Kinds...)),
	}
	if r.resumable() {
		w.Capabilities |= hello.Capabilities & wire.CanResume
		w.Grace = r.config.Grace
	}
	return w
}

// resumable reports whether sessions are kept that lose their carriers.
func (r *Registry) resumable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.config.Grace > 0 && r.capacity.detached > 0
}

// resume takes the session from its old carrier, which may not know yet that it is dead,
// or from its wait.
func (s *session) resume(ctx context.Context, c Newcomer, peer Peer, hello wire.Hello) error {
	return s.claim(ctx, c, hello.Resume.Received, func() (wire.Welcome, error) {
		if !s.attach() {
			return wire.Welcome{}, wire.NewError(wire.UnknownSession, "the session has just ended")
		}
		if !s.link.Resumable(hello.Resume.Received) {
			s.afterRun(errStale)
			return wire.Welcome{}, errStale
		}
		s.registry.countResume()
		s.registry.config.Events.Record(events.SessionResumed{Client: s.event(), Peer: peer.Address, Streams: s.streams()})
		received := s.link.Received()
		return s.registry.welcome(hello, nil, &received, s.account.Limits()), nil
	})
}

func (s *session) run(ctx context.Context, c Newcomer, welcome wire.Welcome) error {
	return s.claim(ctx, c, 0, func() (wire.Welcome, error) { return welcome, nil })
}

// claim runs the session over a carrier. The newest claim wins: it ends the run of an
// older one, and the wait of those that have not come to their turn.
func (s *session) claim(ctx context.Context, c Newcomer, received uint64, greet func() (wire.Welcome, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c.Admit(s.memory.buffers)
	s.mu.Lock()
	if s.newest != nil {
		s.newest(errTakenOver)
	}
	s.newest = cancel
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		_ = c.Close(0, "") // the client has given it up as well
		return context.Cause(ctx)
	}
	welcome, err := greet()
	if err != nil {
		refuse(ctx, c, err)
		return err
	}
	if err = c.Send(ctx, welcome.Append(nil)); err == nil {
		err = s.link.Run(ctx, c, received)
		if s.link.Heard() {
			s.lostNow()
		}
		s.noteTooLong(err)
	} else {
		_ = c.Close(0, "") // the carrier is lost
		err = fmt.Errorf("welcome: %w", err)
	}
	if context.Cause(ctx) != errTakenOver || s.tunnel.Err() != nil {
		s.afterRun(err)
	}
	return err
}

// noteTooLong counts the one refusal that the carrier itself decides.
func (s *session) noteTooLong(err error) {
	if err != error(websocket.ErrTooLong) {
		return
	}
	s.registry.refused(events.LiveSession, s.event(), &limit.Refused{Reason: limit.MessageSize, Err: websocket.ErrTooLong})
}

// afterRun detaches the session or ends it.
func (s *session) afterRun(err error) {
	if s.tunnel.Err() == nil && s.detach(err) {
		return
	}
	streams := s.streams()
	s.tunnel.Fail(wire.NewError(wire.SessionLost, "the connection was lost"))
	s.close(events.SessionEnded{Reason: err, Streams: streams})
}
