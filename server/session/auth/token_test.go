package auth

import (
	"strings"
	"testing"
	"time"
)

func TestNewToken(t *testing.T) {
	one, other := NewToken(), NewToken()
	if one == other || len(one) != 47 || !strings.HasPrefix(one, "smx_") {
		t.Errorf("%q and %q", one, other)
	}
	hash, err := Hash(one)
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(one, hash); err != nil {
		t.Error(err)
	}
	if err := Verify(other, hash); err == nil || err.Error() != "the token does not match the hash" {
		t.Errorf("another token: %v", err)
	}
	if _, err := lineOf(t, one); err != nil {
		t.Error(err)
	}
}

// lineOf proves that a new token fits into a file.
func lineOf(t *testing.T, token string) ([]entry, error) {
	return parseTokens("tokens", []byte(line(t, "a", token, "", time.Time{})))
}

func TestHash(t *testing.T) {
	// printf %s smx_... | sha256sum
	const token, want = "smx_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "1ae32241700b510b41ab85b98b005ab48e190a1ba7788fcc8076319a8efb4cd9"
	if got, err := Hash(token); got != want || err != nil {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	for _, test := range []struct{ token, want string }{
		{"", "the token has 0 characters; want 32 or more, best one of `sockmux token new`"},
		{"correct horse battery staple", "the token has 28 characters; want 32 or more, best one of `sockmux token new`"},
		{strings.Repeat("0123456789", 4), "the token has 10 different characters; want 12 or more: it must be random, best one of `sockmux token new`"},
		{"correct horse battery staple and a stable", "character 8 of the token is not printable ASCII"},
		{"abcdefghijklmnopqrstuvwxyz0123456789\u00e4", "character 37 of the token is not printable ASCII"},
		{strings.Repeat("abcdefghijklmnop", 513), "the token has 8208 characters; at most 8192 fit into a hello"},
	} {
		if _, err := Hash(test.token); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

func TestVerifyHash(t *testing.T) {
	for hash, want := range map[string]string{
		"":                      "the hash has 0 characters; want the 64 hex digits that `sockmux token hash` prints",
		random(0):               "the hash has 47 characters; want the 64 hex digits that `sockmux token hash` prints",
		strings.Repeat("g", 64): "the hash has characters that are no hex digits; want the 64 that `sockmux token hash` prints",
		strings.Repeat("0", 64): "the token does not match the hash",
	} {
		if err := Verify(random(0), hash); err == nil || err.Error() != want {
			t.Errorf("%q: got  %v\nwant %s", hash, err, want)
		}
	}
}
