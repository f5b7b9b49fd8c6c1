package session

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// Client is who has opened a stream.
type Client struct {
	Peer     Peer // at the session's first carrier
	Identity *auth.Identity
	Account  *limit.Client // what the client takes, over all of its sessions
	Event    events.Client // the same for events
	// Sockets counts the session's streams, one each; nil: they are not counted.
	Sockets *budget.Account
	// Memory is what the session holds beside what its streams carry; nil: it is not counted.
	Memory *budget.Account
	// Outlives ends, with a *limit.Refused as its cause, where the streams of the session, which
	// was closed, must not take more time to deliver what the client wrote.
	Outlives context.Context
}

// admitted is who may have a session.
type admitted struct {
	peer   Peer
	proved *auth.Identity // as the credentials gave it
	now    *auth.Identity // as they would give it now
	limits limit.Limits
}

// key tells clients apart in the book: by identity or, where there is none, by network.
func (a admitted) key() string {
	if a.proved.Method == auth.MethodNone {
		return "network " + limit.Network(a.peer.Address)
	}
	return a.proved.Method + " " + a.proved.Name
}

// authenticate finds out who is there.
func (r *Registry) authenticate(ctx context.Context, peer Peer, token string) (*auth.Identity, error) {
	return r.config.Authenticator.Authenticate(ctx, auth.Credentials{Token: token, Header: peer.Header, TLS: peer.TLS, Peer: peer.direct()})
}

// direct is the other end of the TCP connection; the zero value if that has no such address.
func (p Peer) direct() netip.AddrPort {
	text := p.Direct
	if text == "" {
		text = p.Address
	}
	address, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(address.Addr().Unmap(), address.Port())
}

// admit decides whether a client may have a new session.
func (r *Registry) admit(ctx context.Context, peer Peer, token string) (admitted, error) {
	if r.isDraining() {
		return admitted{}, errDraining
	}
	identity, err := r.authenticate(ctx, peer, token)
	if err != nil {
		return admitted{}, err
	}
	return r.standing(peer, identity)
}

// standing is what an identity may have now. The error is a *wire.Error expired, or
// unauthorized for a policy that is not configured.
func (r *Registry) standing(peer Peer, identity *auth.Identity) (admitted, error) {
	now, err := identity.Current()
	if err == nil {
		err = r.checkCertificate(peer.TLS)
	}
	if err != nil {
		return admitted{}, err
	}
	limits, known := r.config.Limits(now.Policy)
	if !known {
		return admitted{}, wire.NewError(wire.Unauthorized, fmt.Sprintf("the policy %q of %s is not configured", now.Policy, now.Name))
	}
	if limits.Streams == 0 {
		limits.Streams = DefaultMaxStreams
	}
	return admitted{peer: peer, proved: identity, now: now, limits: limits}, nil
}

// eventOf describes a client that has no session. identity is nil if it is not known.
func eventOf(peer Peer, identity *auth.Identity, agent string) events.Client {
	e := events.Client{Peer: peer.Address, Agent: agent, Origin: peer.Header.Get("Origin")}
	if identity != nil {
		e.Identity, e.Method, e.Policy = identity.Name, identity.Method, identity.Policy
		e.Anonymous = identity.Method == auth.MethodNone
	}
	return e
}

// refused records that something was refused with err. Where err is that of a carrier that was
// lost, nothing was refused and nothing is recorded.
func (r *Registry) refused(subject events.Subject, client events.Client, err error) {
	r.refusedStream(subject, client, wire.Request{}, err)
}

func (r *Registry) refusedStream(subject events.Subject, client events.Client, request wire.Request, err error) {
	if refusal, ok := events.RefusalOf(subject.Stage(), err); ok {
		r.config.Events.Record(events.Refused{Subject: subject, Client: client, Request: request, Refusal: refusal})
	}
}
