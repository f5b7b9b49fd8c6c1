package config

import (
	"net/netip"
	"strings"

	"github.com/sockmux/sockmux/server/session/auth"
)

// Access says how clients prove who they are. What is empty is not asked for; if all is
// empty, clients prove nothing.
type Access struct {
	TokenFile      string   // static tokens
	JWTKeys        string   // file of keys that sign JWTs
	JWTKeysURL     string   // the same at a URL
	JWTIssuer      string   // empty: any
	JWTAudience    []string // one of them
	JWTPolicyClaim string   // empty: auth.DefaultPolicyClaim
	ClientName     auth.NameFrom
	AuthHeader     string // of a trusted proxy
	PolicyHeader   string // likewise
}

// Authenticates reports whether clients must prove who they are.
func (a *Access) Authenticates() bool {
	return a.TokenFile != "" || a.JWTKeys != "" || a.JWTKeysURL != "" || a.ClientName != "" || a.AuthHeader != ""
}

// TakesTokens reports whether one of the ways to prove that is a token, a JWT included.
func (a *Access) TakesTokens() bool {
	return a.TokenFile != "" || a.JWTKeys != "" || a.JWTKeysURL != ""
}

// accessOf binds the settings to a.
func accessOf(a *Access) []setting {
	parts := map[string]auth.NameFrom{"cn": auth.CommonName, "dns": auth.DNSName, "email": auth.Email, "uri": auth.URI}
	return []setting{
		{
			group: groupAccess, name: "token-file", hint: "FILE",
			help:  "File of accepted tokens. Each line is NAME:HASH, as printed by sockmux token new. The server reads it again when it changes.",
			parse: text(&a.TokenFile), print: one(&a.TokenFile),
		},
		{
			group: groupAccess, name: "jwt-keys", hint: "FILE",
			help:  "File of keys that verify JWTs (EdDSA, ES256, RS256, HS256), as PEM, JWK or JWK set. The server reads it again when it changes.",
			parse: text(&a.JWTKeys), print: one(&a.JWTKeys),
		},
		{
			group: groupAccess, name: "jwt-keys-url", hint: "URL",
			help:  "https URL of a JWK set that verifies JWTs. It requires --jwt-audience.",
			parse: text(&a.JWTKeysURL), print: one(&a.JWTKeysURL),
		},
		{
			group: groupAccess, name: "jwt-issuer", hint: "TEXT",
			help:  "Required value of the JWT claim iss.",
			parse: text(&a.JWTIssuer), print: one(&a.JWTIssuer),
		},
		{
			group: groupAccess, name: "jwt-audience", hint: "TEXT", repeatable: true,
			help:  "Accepted value of the JWT claim aud. Without this flag, the server refuses JWTs that have an aud.",
			parse: each(&a.JWTAudience, func(text string) (string, error) { return text, nil }), print: all(&a.JWTAudience, func(text string) string { return text }),
		},
		{
			group: groupAccess, name: "jwt-policy-claim", hint: "NAME",
			help:  "JWT claim that names the policy. If not set, it is " + auth.DefaultPolicyClaim + ".",
			parse: text(&a.JWTPolicyClaim), print: one(&a.JWTPolicyClaim),
		},
		{
			group: groupAccess, name: "auth-client-cert", hint: "PART",
			help:  "Accept client certificates (see --tls-client-cert). PART holds the client's name: cn, dns, email or uri.",
			parse: oneOf(&a.ClientName, []string{"cn", "dns", "email", "uri"}, parts), print: printed(&a.ClientName, func(n auth.NameFrom) string { return string(n) }),
		},
		{
			group: groupAccess, name: "auth-header", hint: "NAME",
			help:  "Header that holds the client's name, such as X-Forwarded-User. Only --trusted-proxies may set it. The proxy must remove it from clients' requests.",
			parse: text(&a.AuthHeader), print: one(&a.AuthHeader),
		},
		{
			group: groupAccess, name: "auth-policy-header", hint: "NAME",
			help:  "Header that holds the client's policy. The conditions of --auth-header apply.",
			parse: text(&a.PolicyHeader), print: one(&a.PolicyHeader),
		},
	}
}

// Credentials are the authenticators that a Config describes, with the files that they
// were made of.
type Credentials struct {
	Authenticator auth.Authenticator
	tokens        *auth.Tokens  // nil: none
	keys          *auth.KeyFile // nil: none
}

// Open makes the authenticators, and reads their files. Each error has the name of its setting.
func (a *Access) Open(trusted []netip.Prefix) (*Credentials, []*Error) {
	c := &Credentials{}
	var mistakes []*Error
	var all []auth.Method
	add := func(name string, one auth.Method, err error) {
		if err != nil {
			mistakes = append(mistakes, &Error{name, err.Error()})
			return
		}
		all = append(all, one)
	}
	var err error
	if a.TokenFile != "" {
		c.tokens, err = auth.OpenTokens(a.TokenFile)
		add("token-file", c.tokens, err)
	}
	if a.JWTKeys != "" {
		c.keys, err = auth.OpenKeyFile(a.JWTKeys)
		one, err := a.jwt(c.keys, err)
		add("jwt-keys", one, err)
	}
	if a.JWTKeysURL != "" {
		keys, err := auth.NewKeyURL(a.JWTKeysURL, nil)
		one, err := a.jwt(keys, err)
		add("jwt-keys-url", one, err)
	}
	if a.ClientName != "" {
		one, err := auth.NewCertificate(a.ClientName)
		add("auth-client-cert", one, err)
	}
	if a.AuthHeader != "" {
		one, err := auth.NewProxy(auth.ProxyConfig{Header: a.AuthHeader, PolicyHeader: a.PolicyHeader, Trusted: trusted})
		add("auth-header", one, err)
	}
	switch len(all) {
	case 0:
		c.Authenticator = auth.None{}
	case 1:
		c.Authenticator = all[0]
	default:
		c.Authenticator = auth.Any(all...)
	}
	return c, mistakes
}

// jwt makes an authenticator of keys that were opened with that error.
func (a *Access) jwt(keys auth.KeySource, err error) (auth.Method, error) {
	if err != nil {
		return nil, err
	}
	return auth.NewJWT(auth.JWTConfig{Keys: keys, Issuer: a.JWTIssuer, Audience: a.JWTAudience, PolicyClaim: a.JWTPolicyClaim})
}

// Reload reads the files of tokens and keys again. A file with a mistake leaves what it
// gave before.
func (c *Credentials) Reload() (mistakes []error) {
	if c.tokens != nil {
		if err := c.tokens.Reload(); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if c.keys != nil {
		if err := c.keys.Reload(); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return mistakes
}

// Policies returns the names of the policies that tokens name, each with its place.
func (c *Credentials) Policies() map[string]string {
	if c.tokens == nil {
		return nil
	}
	return c.tokens.Policies()
}

// checkAccess finds what the settings only show together. Files are read, so that a wrong
// one is found before a restart and not by it.
func (c *Config) checkAccess(wrongly func(name, format string, values ...any)) (mistakes []*Error) {
	a := &c.Access
	needs := func(name string, given bool, other string, there bool) {
		if given && !there {
			wrongly(name, "does nothing without %s", other)
		}
	}
	jwt := a.JWTKeys != "" || a.JWTKeysURL != ""
	needs("jwt-issuer", a.JWTIssuer != "", "--jwt-keys or --jwt-keys-url", jwt)
	needs("jwt-audience", len(a.JWTAudience) > 0, "--jwt-keys or --jwt-keys-url", jwt)
	needs("jwt-policy-claim", a.JWTPolicyClaim != "", "--jwt-keys or --jwt-keys-url", jwt)
	needs("auth-policy-header", a.PolicyHeader != "", "--auth-header", a.AuthHeader != "")
	needs("auth-client-cert", a.ClientName != "", "--tls-client-cert", c.TLS.ClientCA != "")
	if a.JWTKeys != "" && a.JWTKeysURL != "" {
		wrongly("jwt-keys-url", "the keys come from --jwt-keys as well: choose one")
	}
	credentials, wrong := a.Open(c.TrustedProxies)
	for _, m := range wrong {
		wrongly(m.Source, "%s", m.Text)
	}
	if len(wrong) > 0 {
		return nil
	}
	return c.CheckPolicies(credentials)
}

// CheckPolicies finds tokens that name a policy which is not configured.
func (c *Config) CheckPolicies(credentials *Credentials) (mistakes []*Error) {
	places := credentials.Policies()
	for _, name := range sortedKeys(places) {
		if _, known := c.Policies[name]; !known {
			mistakes = append(mistakes, &Error{places[name], "the policy " + name + " is not configured: want one of " + strings.Join(c.PolicyNames(), ", ")})
		}
	}
	return mistakes
}
