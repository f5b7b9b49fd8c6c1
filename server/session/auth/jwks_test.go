package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// issuerOf answers every request for keys as a test wants.
type issuerOf func(*http.Request) (status int, body string, err error)

func (f issuerOf) RoundTrip(request *http.Request) (*http.Response, error) {
	status, body, err := f(request)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Request: request,
		Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

func edSet(public any, id string) string {
	return fmt.Sprintf(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":%q,"x":%q}]}`, id, encode(public.(ed25519.PublicKey)))
}

func TestNewKeyURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://issuer.example/keys":      "",
		"http://127.0.0.1:80/keys":         "",
		"http://[::1]/keys":                "",
		"http://localhost/keys":            "",
		"http://u:secret@issuer.example/k": `the URL of the keys, "http://u:xxxxx@issuer.example/k", is not https: a changed answer could make tokens valid`,
		"http://127.0.0.1.example/":        `the URL of the keys, "http://127.0.0.1.example/", is not https: a changed answer could make tokens valid`,
		"file:///keys":                     `the URL of the keys, "file:///keys", does not have the form https://HOST/PATH`,
		"https:///keys":                    `the URL of the keys, "https:///keys", does not have the form https://HOST/PATH`,
		"":                                 `the URL of the keys, "", does not have the form https://HOST/PATH`,
		"https://a b/":                     `the URL of the keys: parse "https://a b/": invalid character " " in host name`,
	} {
		_, err := NewKeyURL(address, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", address, got, want)
		}
	}
}

// Keys are fetched when they are needed, when they are old and, not too often, when one
// is unknown; what was fetched survives an outage, but not for ever.
func TestKeyURLFetches(t *testing.T) {
	s := testSigners()
	_, next, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var fetches int
		answer := edSet(s.ed.Public(), "one")
		down := false
		keys, err := NewKeyURL("https://issuer.example/keys", issuerOf(func(*http.Request) (int, string, error) {
			fetches++
			if down {
				return 0, "", errors.New("no route")
			}
			return 200, answer, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		j := newJWT(t, JWTConfig{Keys: keys, Audience: []string{"sockmux"}})
		try := func(s signers, id, want string, fetched int) *Identity {
			t.Helper()
			identity, err := j.Authenticate(t.Context(), Credentials{Token: s.sign(t, eddsa, fmt.Sprintf(`{"alg":"EdDSA","kid":%q}`, id), goodClaims)})
			if want == "" && err != nil {
				t.Errorf("%v", err)
			} else if want != "" {
				wantError(t, err, want)
			}
			if fetches != fetched {
				t.Errorf("%d fetches; want %d", fetches, fetched)
			}
			return identity
		}
		two := signers{ed: next}
		const unknown = `unauthorized: the token is signed with the EdDSA key "two", which the server does not know`

		identity := try(s, "one", "", 1)
		try(s, "one", "", 1)
		try(two, "two", unknown, 1) // the first fetch was just now
		<-time.After(keysPause)
		try(two, "two", unknown, 2)
		try(two, "two", unknown, 2)

		answer = edSet(next.Public(), "two") // the issuer changes its key
		<-time.After(keysPause)
		if _, err := identity.Current(); err != nil {
			t.Errorf("the key is still there: %v", err)
		}
		second := try(two, "two", "", 3)
		_, err = identity.Current()
		wantError(t, err, "expired: the token of alice was revoked: the server no longer takes its key")

		<-time.After(keysFresh) // old: asked for again, also for a known key
		try(two, "two", "", 4)

		down = true
		<-time.After(keysFresh)
		try(two, "two", "", 5)
		try(two, "two", "", 5)
		<-time.After(keysPause)
		try(two, "two", "", 6)
		<-time.After(keysStale)
		try(two, "two", "internal: the server cannot check tokens now", 7)
		if _, err := second.Current(); err != nil {
			t.Errorf("an outage of the issuer ends a session: %v", err)
		}
		down = false
		<-time.After(keysPause)
		try(two, "two", "", 8)
	})
}

func TestKeyURLErrors(t *testing.T) {
	s := testSigners()
	for _, test := range []struct {
		name   string
		status int
		body   string
		err    error
		want   string
	}{
		{"no answer", 0, "", errors.New("no route"), `fetching the keys: Get "https://issuer.example/keys": no route`},
		{"error", 500, "{}", nil, "fetching the keys: https://issuer.example/keys answers 500 Internal Server Error"},
		{"redirect", 302, "", nil, "fetching the keys: https://issuer.example/keys answers 302 Found"},
		{"endless", 200, strings.Repeat(" ", maxKeysSize+1), nil, "fetching the keys: the answer of https://issuer.example/keys has more than 1048576 bytes"},
		{"no JSON", 200, "<html>", nil, "fetching the keys: the answer of https://issuer.example/keys: not a JWK set: invalid character '<' looking for beginning of value"},
		{"secret", 200, asJSON(t, s.jwks(true)), nil, "fetching the keys: the answer of https://issuer.example/keys: key 4: a secret (kty oct) must not come from a URL: put it into a file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			keys, err := NewKeyURL("https://issuer.example/keys", issuerOf(func(*http.Request) (int, string, error) { return test.status, test.body, test.err }))
			if err != nil {
				t.Fatal(err)
			}
			j := newJWT(t, JWTConfig{Keys: keys, Audience: []string{"sockmux"}})
			_, err = j.Authenticate(t.Context(), Credentials{Token: s.sign(t, eddsa, `{"alg":"EdDSA"}`, goodClaims)})
			wantError(t, err, "internal: the server cannot check tokens now")
			if want := "internal: the server cannot check tokens now: " + test.want; err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// A hundred tokens at once cost one fetch, over a real connection.
func TestKeyURLTogether(t *testing.T) {
	s := testSigners()
	var fetches atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		_, _ = io.WriteString(w, edSet(s.ed.Public(), "one"))
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	keys, err := NewKeyURL(server.URL, transport)
	if err != nil {
		t.Fatal(err)
	}
	j := newJWT(t, JWTConfig{Keys: keys, Audience: []string{"sockmux"}})
	token := s.sign(t, eddsa, `{"alg":"EdDSA","kid":"one"}`, goodClaims)
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if _, err := j.Authenticate(context.Background(), Credentials{Token: token}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if fetches.Load() != 1 {
		t.Errorf("%d fetches; want 1", fetches.Load())
	}
}

// Who waits for a fetch of another leaves with its context.
func TestKeyURLWaits(t *testing.T) {
	keys, err := NewKeyURL("https://issuer.example/keys", nil)
	if err != nil {
		t.Fatal(err)
	}
	keys.turn <- struct{}{}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	if _, err := keys.keys(ctx, false); err == nil || err.Error() != "gone" {
		t.Errorf("%v", err)
	}
}
