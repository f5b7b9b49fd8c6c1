// Package auth decides who may connect: by a token from a file, a JWT, a client
// certificate, or the word of a trusted reverse proxy.
//
// An Authenticator turns what a client presents into an Identity: a name for logs and
// limits, and the policy that says what the client may reach. An identity ends: by itself
// when it expires, or because a reload has revoked it. Identity.Current tells; the owner
// of a session asks it when Expires has come and after every reload.
//
// No error and no text of this package repeats a token or a part of one.
package auth

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sockmux/sockmux/shared/wire"
)

// Methods of identities, as logs and metrics name them.
const (
	MethodNone        = "none"
	MethodToken       = "token"
	MethodJWT         = "jwt"
	MethodCertificate = "certificate"
	MethodProxy       = "proxy"
)

// MaxName bounds names: they stand in every log line of a client, and the longest in use,
// SPIFFE ids and distinguished names, are shorter.
const MaxName = 256

// Identity is who a client is. It does not change once it is made and may be used by any
// number of goroutines.
type Identity struct {
	Name    string    // never empty; printable UTF-8 of at most MaxName bytes
	Method  string    // how it was proved: one of the Methods
	Policy  string    // name of the policy that applies; empty: the default one
	Expires time.Time // zero: never

	// current is asked whether the credentials are still good; nil: only Expires counts.
	current func() (*Identity, error)
}

// Current returns the identity as the same credentials would give it now: with the policy
// and the expiry that a reload has set. The error is a *wire.Error with the code expired
// once the credentials have expired or were revoked: what depends on the identity is to
// be ended with it. It does no input or output.
func (i *Identity) Current() (*Identity, error) {
	now := i
	if i.current != nil {
		var err error
		if now, err = i.current(); err != nil {
			return nil, err
		}
	}
	if !now.Expires.IsZero() && !time.Now().Before(now.Expires) {
		return nil, expired("the credentials of %s expired at %s", i.Name, stamp(now.Expires))
	}
	return now, nil
}

// String returns method and name, which together tell identities apart: limits and
// accounts are kept by it.
func (i *Identity) String() string { return i.Method + ":" + i.Name }

// Credentials are all that a client presents. The zero value presents nothing.
type Credentials struct {
	Token  string               // of the hello
	Header http.Header          // of the upgrade request
	TLS    *tls.ConnectionState // nil without TLS
	// Peer is the other end of the TCP connection itself. What a header says of the
	// client's address must never get here: the trust in a proxy's header hangs on it.
	Peer netip.AddrPort
}

// Authenticator proves identities. Any number of goroutines may use one.
type Authenticator interface {
	// Authenticate returns the identity that the credentials prove. errors.As finds a
	// *wire.Error in every error: unauthorized or expired, whose text names what is wrong
	// and is for the client; internal if the credentials could not be checked, when the
	// error's own text, for the log, names the cause.
	Authenticate(context.Context, Credentials) (*Identity, error)
}

// Method is an Authenticator of one kind of credentials, for Any.
type Method interface {
	Authenticator
	// Presented reports whether the credentials are of the method's kind, good or not.
	Presented(Credentials) bool
	// Wants names the method's kind of credentials.
	Wants() string
}

// None admits every client as one identity, whatever is presented.
type None struct{}

// Authenticate never fails.
func (None) Authenticate(context.Context, Credentials) (*Identity, error) {
	return &Identity{Name: "anonymous", Method: MethodNone}, nil
}

// Presented implements Method.
func (None) Presented(Credentials) bool { return true }

// Wants implements Method.
func (None) Wants() string { return "nothing" }

// Any returns a method that asks each of the methods, in this order, that the credentials are meant
// for, and takes the first identity. If all refuse, it returns the error that tells most: one that
// could not check, then expired credentials, then the last refusal.
func Any(methods ...Method) Method { return anyOf(methods) }

type anyOf []Method

func (a anyOf) Authenticate(ctx context.Context, credentials Credentials) (*Identity, error) {
	var best error
	for _, method := range a {
		if !method.Presented(credentials) {
			continue
		}
		identity, err := method.Authenticate(ctx, credentials)
		if err == nil {
			return identity, nil
		}
		if best == nil || rank(err) >= rank(best) {
			best = err
		}
	}
	if best == nil {
		return nil, unauthorized("no credentials: the server wants %s", a.Wants())
	}
	return nil, best
}

func rank(err error) int {
	switch {
	case errors.Is(err, wire.NewError(wire.Internal, "")):
		return 2
	case errors.Is(err, wire.NewError(wire.Expired, "")):
		return 1
	}
	return 0
}

func (a anyOf) Presented(credentials Credentials) bool {
	for _, method := range a {
		if method.Presented(credentials) {
			return true
		}
	}
	return false
}

func (a anyOf) Wants() string {
	kinds := make([]string, 0, len(a))
	for _, method := range a {
		kinds = append(kinds, method.Wants())
	}
	return cmp.Or(strings.Join(kinds, " or "), "nothing that there is")
}

func unauthorized(format string, args ...any) *wire.Error {
	return wire.NewError(wire.Unauthorized, fmt.Sprintf(format, args...))
}

func expired(format string, args ...any) *wire.Error {
	return wire.NewError(wire.Expired, fmt.Sprintf(format, args...))
}

// unchecked is the error when credentials could not be checked: text is for the client,
// cause for the log.
func unchecked(text string, cause error) error {
	return fmt.Errorf("%w: %w", wire.NewError(wire.Internal, text), cause)
}

// stamp writes a time for people, in UTC.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// badName says what is wrong with a name that a client brings along; empty if nothing is.
func badName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > MaxName:
		return fmt.Sprintf("has %d bytes; at most %d are taken", len(name), MaxName)
	case !utf8.ValidString(name):
		return "is not UTF-8"
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "has characters that cannot be printed"
	}
	return ""
}
