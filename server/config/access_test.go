package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
)

// tokenFile writes a file with one token, whose line is told.
func tokenFile(t *testing.T, name, policy string) (path, token string) {
	t.Helper()
	token = auth.NewToken()
	line, err := auth.Line(name, token, policy, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, token
}

// jwkSet is a JWK set with one secret (RFC 7517, 5).
const jwkSet = `{"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}`

func TestAccess(t *testing.T) {
	path, token := tokenFile(t, "alice", "")
	keys := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(keys, []byte(jwkSet), 0o600); err != nil {
		t.Fatal(err)
	}
	c := mustLoad(t, []string{
		"--listen", ":0", "--token-file", path, "--jwt-keys", keys, "--jwt-issuer", "https://i.test", "--jwt-audience", "a", "--jwt-audience", "b", "--jwt-policy-claim", "p",
		"--auth-header", "X-User", "--auth-policy-header", "X-Policy", "--trusted-proxies", "127.0.0.1",
	}, nil)
	if !c.Authenticates() || c.TokenFile != path || c.JWTKeys != keys || c.JWTIssuer != "https://i.test" || len(c.JWTAudience) != 2 || c.JWTPolicyClaim != "p" || c.AuthHeader != "X-User" || c.PolicyHeader != "X-Policy" {
		t.Errorf("%+v", c.Access)
	}
	credentials, mistakes := c.Open(c.TrustedProxies)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if identity, err := credentials.Authenticator.Authenticate(t.Context(), auth.Credentials{Token: token}); err != nil || identity.Name != "alice" {
		t.Errorf("%+v, %v", identity, err)
	}
	if _, err := credentials.Authenticator.Authenticate(t.Context(), auth.Credentials{}); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("without credentials: %v", err)
	}
	// A file that has become wrong keeps what it gave; one that is right again is taken.
	if err := os.WriteFile(path, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if mistakes := credentials.Reload(); len(mistakes) != 1 || !strings.HasPrefix(mistakes[0].Error(), path+":1: ") {
		t.Errorf("%v", mistakes)
	}
	if _, err := credentials.Authenticator.Authenticate(t.Context(), auth.Credentials{Token: token}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if mistakes := credentials.Reload(); len(mistakes) != 0 {
		t.Errorf("%v", mistakes)
	}
	if _, err := credentials.Authenticator.Authenticate(t.Context(), auth.Credentials{Token: token}); err == nil {
		t.Error("the token is still taken")
	}
}

func TestAccessErrors(t *testing.T) {
	path, _ := tokenFile(t, "alice", "staff")
	dir := filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, "bad"), []byte("# a comment\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ args, want string }{ // DIR stands for the folder
		{"--token-file DIR/none", `--token-file: reading the token file: open DIR/none: no such file or directory`},
		{"--token-file DIR/bad", `--token-file: DIR/bad:2: want NAME:HASH [policy=NAME] [expires=TIME]`},
		{"--token-file DIR/tokens", `DIR/tokens:1: the policy staff is not configured: want one of default`},
		{"--jwt-keys DIR/bad", `--jwt-keys: DIR/bad: neither PEM nor JSON: want public keys, a JWK or a JWK set`},
		{"--jwt-keys-url https://i.test/keys", `--jwt-keys-url: keys from a URL need an audience: their issuer signs tokens for other services too, and each of those could be used here`},
		{"--jwt-keys-url http://i.test/keys --jwt-audience a", `--jwt-keys-url: the URL of the keys, "http://i.test/keys", is not https: a changed answer could make tokens valid`},
		{"--jwt-audience a", `--jwt-audience: does nothing without --jwt-keys or --jwt-keys-url`},
		{"--auth-policy-header X-Policy", `--auth-policy-header: does nothing without --auth-header`},
		{"--auth-header X-User", `--auth-header: the header of a proxy needs --trusted-proxies`},
		{"--auth-header X:User --trusted-proxies 127.0.0.1", `--auth-header: "X:User" is not a header name`},
		{"--auth-client-cert cn", `--auth-client-cert: does nothing without --tls-client-cert`},
		{"--auth-client-cert serial", `--auth-client-cert: "serial" is not known: want cn, dns, email or uri`},
	} {
		_, err := Load(strings.Fields(strings.ReplaceAll(test.args, "DIR", dir)), nil)
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.args, err, test.want)
		}
	}
}

func TestTokensOfAPolicy(t *testing.T) {
	path, _ := tokenFile(t, "alice", "staff")
	mustLoad(t, []string{"--token-file", path, "--config", write(t, "policies: {staff: }")}, nil)
}

func TestInsecureBesideAuthentication(t *testing.T) {
	path, _ := tokenFile(t, "alice", "")
	c := mustLoad(t, []string{"--listen", ":1", "--token-file", path, "--insecure-no-auth"}, nil)
	if len(c.Warnings) != 1 || c.Warnings[0] != "--insecure-no-auth changes nothing: clients must authenticate" {
		t.Errorf("%q", c.Warnings)
	}
}
