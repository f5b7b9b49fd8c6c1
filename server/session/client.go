package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/sockmux/sockmux/server/auth"
	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Client is who has opened a stream.
type Client struct {
	Session  string // as logs name it
	Peer     Peer   // at the session's first carrier
	Identity *auth.Identity
	Account  *limit.Account // what the client takes, over all of its sessions
	Watcher  Watcher        // of the session, as Config.Opened gave it; nil: nobody
}

// Refusal is something that was refused, or ended because it must not go on.
type Refusal struct {
	Reason   string // a limit.Reason or, where the reason is no limit, the name of the code
	Code     wire.Code
	Text     string
	Session  string // empty: there is none
	Identity string // empty: not known
	Peer     string
	Target   string  // of a stream; empty: the whole session
	Watcher  Watcher // of the stream's session; nil: nobody, or no stream
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
		return "network " + a.peer.network()
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

// admit decides whether somebody may have a new session.
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

// standing is what an identity may have now. The error is a *wire.Error expired, or unauthorized for a policy that nobody has configured.
func (r *Registry) standing(peer Peer, identity *auth.Identity) (admitted, error) {
	now, err := identity.Current()
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

// reasonOf names the reason of a refusal; counted tells whether it is one that has a counter.
func reasonOf(err error) (reason limit.Reason, counted bool) {
	var refused *limit.Refused
	var e *wire.Error
	switch {
	case errors.As(err, &refused):
		return refused.Reason, true
	case !errors.As(err, &e):
		return "", false
	}
	switch e.Code {
	case wire.Unauthorized:
		return limit.Unauthorized, true
	case wire.Expired:
		return limit.Expired, true
	case wire.Internal:
		return limit.Unchecked, true
	}
	return limit.Reason(e.Code.String()), false
}

// note counts a refusal, writes its one log line and tells whoever wants to know. message says what was refused.
func (r *Registry) note(message string, refusal Refusal, err error) {
	var e *wire.Error
	if !errors.As(err, &e) {
		return // a carrier that was lost: nobody was refused
	}
	reason, counted := reasonOf(err)
	if counted {
		r.config.Refusals.Add(reason)
	}
	refusal.Reason, refusal.Code, refusal.Text = string(reason), e.Code, e.Text
	attrs := []slog.Attr{slog.String("reason", refusal.Reason), slog.String("code", e.Code.String()), slog.String("peer", refusal.Peer)}
	for _, a := range []slog.Attr{slog.String("identity", refusal.Identity), slog.String("session", refusal.Session), slog.String("target", refusal.Target)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	attrs = append(attrs, slog.String("error", err.Error()))
	r.config.Logger.LogAttrs(context.Background(), slog.LevelWarn, message, attrs...)
	if r.config.Refused != nil {
		r.config.Refused(refusal)
	}
}
