package auth

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestNone(t *testing.T) {
	identity, err := None{}.Authenticate(t.Context(), Credentials{Token: "whatever"})
	if err != nil || identity.Name != "anonymous" || identity.Method != MethodNone {
		t.Fatalf("%+v, %v", identity, err)
	}
	if identity.String() != "none:anonymous" {
		t.Errorf("%s", identity)
	}
	if now, err := identity.Current(); now != identity || err != nil {
		t.Errorf("%+v, %v", now, err)
	}
}

// broken cannot check.
type broken struct{}

func (broken) Presented(Credentials) bool { return true }
func (broken) Wants() string              { return "a miracle" }

func (broken) Authenticate(context.Context, Credentials) (*Identity, error) {
	return nil, unchecked("the server cannot check tokens now", errors.New("cause"))
}

func TestAny(t *testing.T) {
	s := testSigners()
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	tokens, err := OpenTokens(write(t, "tokens", line(t, "static", random(0), "", time.Time{})+line(t, "old", random(1), "", past)))
	if err != nil {
		t.Fatal(err)
	}
	jwts := newJWT(t, JWTConfig{Keys: keysOf(t, s.pem(t, s.ed.Public()))})
	proxy, err := NewProxy(ProxyConfig{Header: "Remote-User", Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := NewCertificate(CommonName)
	if err != nil {
		t.Fatal(err)
	}
	all := Any(certificate, tokens, jwts, proxy)
	sign := func(claims string) string { return s.sign(t, eddsa, `{"alg":"EdDSA"}`, claims) }
	remote := http.Header{"Remote-User": {"remote"}}
	inside, outside := netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("192.0.2.1:1")
	for _, test := range []struct {
		name          string
		authenticator Authenticator
		credentials   Credentials
		want          string
	}{
		{"static", all, Credentials{Token: random(0)}, "static"},
		{"jwt", all, Credentials{Token: sign(`{"sub":"jay","exp":4102444800}`)}, "jay"},
		{"proxy", all, Credentials{Header: remote, Peer: inside}, "remote"},
		{"a wrong token beside the header", all, Credentials{Token: random(2), Header: remote, Peer: inside}, "remote"},
		{"a good token beside a header of nobody", all, Credentials{Token: random(0), Header: remote, Peer: outside}, "static"},
		{"nothing", all, Credentials{}, "unauthorized: no credentials: the server wants a client certificate or a token or a JWT or the header Remote-User of a trusted proxy"},
		{"unknown token", all, Credentials{Token: random(2)}, "unauthorized: the token is not known"},
		{"bad JWT", all, Credentials{Token: sign(`{"sub":"jay"}`)}, "unauthorized: the token has no exp: a JWT must expire, because nothing can revoke it"},
		{"expired counts before unknown", all, Credentials{Token: random(1), Header: remote, Peer: outside}, "expired: the token of old expired at 2020-01-01T00:00:00Z"},
		{"unchecked counts before expired", Any(broken{}, tokens), Credentials{Token: random(1)}, "internal: the server cannot check tokens now"},
		{"one that cannot check is no hindrance", Any(broken{}, tokens), Credentials{Token: random(0)}, "static"},
		{"nested", Any(Any(tokens), Any(proxy)), Credentials{Header: remote, Peer: inside}, "remote"},
		{"none at last", Any(tokens, None{}), Credentials{}, "anonymous"},
		{"no authenticator", Any(), Credentials{Token: random(0)}, "unauthorized: no credentials: the server wants nothing that there is"},
	} {
		t.Run(test.name, func(t *testing.T) {
			identity, err := test.authenticator.Authenticate(t.Context(), test.credentials)
			if err != nil {
				wantError(t, err, test.want)
				return
			}
			if identity.Name != test.want {
				t.Errorf("%+v; want %s", identity, test.want)
			}
		})
	}
	_, err = Any(broken{}).Authenticate(t.Context(), Credentials{})
	if err == nil || err.Error() != "internal: the server cannot check tokens now: cause" {
		t.Errorf("the log is told %v", err)
	}
	if !errors.Is(err, wire.NewError(wire.Internal, "")) {
		t.Errorf("%v has no code", err)
	}
}
