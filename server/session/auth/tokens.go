package auth

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Tokens are the static tokens of one file. Any number of goroutines may use them.
type Tokens struct {
	path string
	// known is replaced as a whole by Reload. To look a digest up in a map takes a time
	// that depends on the digest; that helps no attacker: to steer the digest of a
	// guess byte by byte towards a stored one would have broken SHA-256, and the token
	// itself is compared nowhere.
	known atomic.Pointer[map[digest]entry]
}

var _ Authenticator = (*Tokens)(nil)

// OpenTokens reads a token file. Errors name the file and the line. A file without a
// token is none: it admits no client.
func OpenTokens(path string) (*Tokens, error) {
	t := &Tokens{path: path}
	if err := t.Reload(); err != nil {
		return nil, err
	}
	return t, nil
}

// Reload reads the file again. On an error the tokens stay as they are. Afterwards
// Identity.Current tells of every identity that a token has proved whether that token is
// still there.
func (t *Tokens) Reload() error {
	data, err := readFile(t.path)
	if err != nil {
		return fmt.Errorf("reading the token file: %w", err)
	}
	entries, err := parseTokens(t.path, data)
	if err != nil {
		return err
	}
	known := make(map[digest]entry, len(entries))
	for _, e := range entries {
		known[e.digest] = e
	}
	t.known.Store(&known)
	return nil
}

// Len returns how many tokens the file has.
func (t *Tokens) Len() int { return len(*t.known.Load()) }

// Policies returns the names of the policies that tokens name, each with the place in the
// file that names it first: configuration checks that there are such.
func (t *Tokens) Policies() map[string]string {
	first := make(map[string]int)
	for _, e := range *t.known.Load() {
		if line, found := first[e.policy]; e.policy != "" && (!found || e.line < line) {
			first[e.policy] = e.line
		}
	}
	places := make(map[string]string, len(first))
	for name, line := range first {
		places[name] = fmt.Sprintf("%s:%d", t.path, line)
	}
	return places
}

// Authenticate looks up the token.
func (t *Tokens) Authenticate(_ context.Context, credentials Credentials) (*Identity, error) {
	switch {
	case credentials.Token == "":
		return nil, unauthorized("no credentials: the server wants %s", t.Wants())
	case len(credentials.Token) > wire.MaxToken:
		return nil, unauthorized("the token has %d bytes; at most %d are taken", len(credentials.Token), wire.MaxToken)
	}
	sum := digestOf(credentials.Token)
	e, found := (*t.known.Load())[sum]
	if !found {
		return nil, unauthorized("the token is not known")
	}
	return t.identity(e)
}

func (t *Tokens) identity(e entry) (*Identity, error) {
	if !e.expires.IsZero() && !time.Now().Before(e.expires) {
		return nil, expired("the token of %s expired at %s", e.name, stamp(e.expires))
	}
	return &Identity{
		Name: e.name, Method: MethodToken, Policy: e.policy, Expires: e.expires,
		current: func() (*Identity, error) {
			now, found := (*t.known.Load())[e.digest]
			if !found || now.name != e.name {
				return nil, expired("the token of %s was revoked", e.name)
			}
			return t.identity(now)
		},
	}, nil
}

// Presented implements Method.
func (t *Tokens) Presented(credentials Credentials) bool { return credentials.Token != "" }

// Wants implements Method.
func (t *Tokens) Wants() string { return "a token" }
