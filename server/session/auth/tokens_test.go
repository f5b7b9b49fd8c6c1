package auth

import (
	"context"
	"errors"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestTokens(t *testing.T) {
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	future := time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
	path := write(t, "tokens", "# staff\n"+
		line(t, "alice", random(0), "inside", future)+line(t, "bob", random(1), "", time.Time{})+line(t, "carol", random(2), "old", past))
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ token, want string }{
		{random(0), "alice token inside 2120-01-01T00:00:00Z"},
		{random(1), "bob token  0001-01-01T00:00:00Z"},
		{random(2), "expired: the token of carol expired at 2020-01-01T00:00:00Z"},
		{random(3), "unauthorized: the token is not known"},
		{"", "unauthorized: no credentials: the server wants a token"},
		{strings.Repeat("x", wire.MaxToken+1), "unauthorized: the token has 8193 bytes; at most 8192 are taken"},
	} {
		identity, err := tokens.Authenticate(t.Context(), Credentials{Token: test.token})
		if err != nil {
			wantError(t, err, test.want)
			continue
		}
		if got := strings.Join([]string{identity.Name, identity.Method, identity.Policy, stamp(identity.Expires)}, " "); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	if got, want := tokens.Policies(), map[string]string{"inside": path + ":2", "old": path + ":4"}; !maps.Equal(got, want) {
		t.Errorf("policies %v; want %v", got, want)
	}
	if tokens.Len() != 3 {
		t.Errorf("%d tokens; want 3", tokens.Len())
	}
}

func TestOpenTokensErrors(t *testing.T) {
	path := write(t, "tokens", "ok\n")
	if _, err := OpenTokens(path); err == nil || err.Error() != path+":1: want NAME:HASH [policy=NAME] [expires=TIME]" {
		t.Errorf("%v", err)
	}
	if _, err := OpenTokens(path + "x"); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the token file: open ") {
		t.Errorf("%v", err)
	}
}

func TestReloadRevokes(t *testing.T) {
	future := time.Date(2120, 1, 1, 0, 0, 0, 0, time.UTC)
	path := write(t, "tokens", line(t, "alice", random(0), "", time.Time{})+line(t, "bob", random(1), "", time.Time{}))
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	authenticate := func(n byte) *Identity {
		t.Helper()
		identity, err := tokens.Authenticate(t.Context(), Credentials{Token: random(n)})
		if err != nil {
			t.Fatal(err)
		}
		return identity
	}
	alice, bob := authenticate(0), authenticate(1)

	rewrite(t, path, "alice:broken\n")
	if err := tokens.Reload(); err == nil {
		t.Fatal("a broken file was loaded")
	}
	if _, err := alice.Current(); err != nil {
		t.Errorf("after a failed reload: %v", err)
	}

	rewrite(t, path, line(t, "alice", random(0), "narrow", future))
	if err := tokens.Reload(); err != nil {
		t.Fatal(err)
	}
	now, err := alice.Current()
	if err != nil || now.Policy != "narrow" || !now.Expires.Equal(future) {
		t.Errorf("%+v, %v; want the policy and the expiry of the new line", now, err)
	}
	_, err = bob.Current()
	wantError(t, err, "expired: the token of bob was revoked")

	// The same token for another name is another identity.
	rewrite(t, path, line(t, "mallory", random(0), "", future))
	if err := tokens.Reload(); err != nil {
		t.Fatal(err)
	}
	_, err = now.Current()
	wantError(t, err, "expired: the token of alice was revoked")
}

func TestIdentityExpires(t *testing.T) {
	path := write(t, "tokens", line(t, "alice", random(0), "", time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)))
	synctest.Test(t, func(t *testing.T) { // begins at 2000-01-01T00:00:00Z
		tokens, err := OpenTokens(path)
		if err != nil {
			t.Fatal(err)
		}
		identity, err := tokens.Authenticate(t.Context(), Credentials{Token: random(0)})
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute - time.Nanosecond)
		if _, err := identity.Current(); err != nil {
			t.Error(err)
		}
		<-time.After(time.Nanosecond)
		_, err = identity.Current()
		wantError(t, err, "expired: the token of alice expired at 2000-01-01T00:01:00Z")
		_, err = (&Identity{Name: "x", Expires: time.Now()}).Current()
		wantError(t, err, "expired: the credentials of x expired at 2000-01-01T00:01:00Z")
	})
}

func TestTokensTogether(t *testing.T) {
	path := write(t, "tokens", line(t, "alice", random(0), "", time.Time{}))
	tokens, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				identity, err := tokens.Authenticate(context.Background(), Credentials{Token: random(0)})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := identity.Current(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 50 {
		if err := tokens.Reload(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
}
