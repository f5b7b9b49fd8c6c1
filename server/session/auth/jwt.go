package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sockmux/sockmux/shared/wire"
)

// DefaultPolicyClaim is the claim that names the policy where JWTConfig says nothing.
const DefaultPolicyClaim = "sockmux_policy"

// leeway is how far the clocks of issuer and server may be apart (RFC 7519, section
// 4.1.4: no more than a few minutes).
const leeway = time.Minute

// lastSecond is the end of the year 9999, the last that RFC 3339 can write. What a token
// says beyond it is no time.
const lastSecond = 253402300799

// JWTConfig says which JWTs are taken. Keys must be set, and Audience with a KeyURL.
type JWTConfig struct {
	Keys        KeySource
	Issuer      string   // "iss" must be it; empty: any
	Audience    []string // "aud" must have one of them; empty: tokens with "aud" are refused (RFC 7519, section 4.1.3)
	PolicyClaim string   // empty: DefaultPolicyClaim. A token without the claim has the default policy
}

// JWT takes signed tokens of the compact form (RFC 7515, section 7.1). EdDSA, ES256,
// RS256 and HS256 are known, each only with keys of its own type; "none" is refused as
// every other. A token must have "sub", which is the name, and "exp".
type JWT struct {
	config JWTConfig
	parser *jwt.Parser
}

var _ Authenticator = (*JWT)(nil)

// NewJWT returns an authenticator for JWTs.
func NewJWT(config JWTConfig) (*JWT, error) {
	if config.Keys == nil {
		return nil, errors.New("JWTs need keys: a file or a URL")
	}
	if _, shared := config.Keys.(*KeyURL); shared && len(config.Audience) == 0 {
		return nil, errors.New("keys from a URL need an audience: their issuer signs tokens for other services too, and each of those could be used here")
	}
	config.PolicyClaim = cmp.Or(config.PolicyClaim, DefaultPolicyClaim)
	// The claims are checked here: so every failure has a text of its own.
	parser := jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	return &JWT{config: config, parser: parser}, nil
}

// Authenticate checks the token's signature first and its claims only then.
func (j *JWT) Authenticate(ctx context.Context, credentials Credentials) (*Identity, error) {
	switch {
	case credentials.Token == "":
		return nil, unauthorized("no credentials: the server wants %s", j.Wants())
	case len(credentials.Token) > wire.MaxToken:
		return nil, unauthorized("the token has %d bytes; at most %d are taken", len(credentials.Token), wire.MaxToken)
	}
	var signer key
	var unsigned error
	token, err := j.parser.Parse(credentials.Token, func(token *jwt.Token) (any, error) {
		signer, unsigned = j.signer(ctx, token)
		return signer.material, unsigned
	})
	switch {
	case unsigned != nil:
		return nil, unsigned
	case err != nil:
		return nil, refusal(token, err)
	}
	return j.identity(token.Claims.(jwt.MapClaims), signer)
}

// signer returns the key that has signed the token, or any that may have where none has.
func (j *JWT) signer(ctx context.Context, token *jwt.Token) (key, error) {
	if _, found := token.Header["crit"]; found {
		return key{}, unauthorized("the token has the header crit, and none of its extensions is known") // RFC 7515, section 4.1.11
	}
	id, ok := token.Header["kid"].(string)
	if _, found := token.Header["kid"]; found && !ok {
		return key{}, unauthorized("the token's header kid is not a string")
	}
	algorithm := token.Method.Alg()
	set, err := j.config.Keys.keys(ctx, false)
	if err != nil {
		return key{}, unchecked("the server cannot check tokens now", err)
	}
	candidates := set.candidates(algorithm, id)
	if len(candidates) == 0 {
		if set, err = j.config.Keys.keys(ctx, true); err != nil {
			return key{}, unchecked("the server cannot check tokens now", err)
		}
		candidates = set.candidates(algorithm, id)
	}
	if len(candidates) == 0 {
		if !set.hasAlgorithm(algorithm) {
			return key{}, unauthorized("the token is signed with %s, and the server has no key for it", algorithm)
		}
		return key{}, unauthorized("the token is signed with the %s key %s, which the server does not know", algorithm, quote(id))
	}
	signed := token.Raw[:strings.LastIndexByte(token.Raw, '.')]
	for _, candidate := range candidates[:len(candidates)-1] {
		if token.Method.Verify(signed, token.Signature, candidate.material) == nil {
			return candidate, nil
		}
	}
	return candidates[len(candidates)-1], nil
}

// refusal says why the parser did not take the token.
func refusal(token *jwt.Token, err error) *wire.Error {
	switch algorithm := algorithmOf(token); {
	case errors.Is(err, jwt.ErrTokenMalformed):
		return unauthorized("the token is no JWT: want three parts in base64url, the first two JSON objects")
	case algorithm == "":
		return unauthorized("the token's header has no alg")
	case !slices.Contains(algorithms, algorithm):
		return unauthorized("the token's alg is %s; want EdDSA, ES256, RS256 or HS256", quote(algorithm))
	default:
		return unauthorized("the token's signature is wrong")
	}
}

func algorithmOf(token *jwt.Token) string {
	if token == nil {
		return ""
	}
	algorithm, _ := token.Header["alg"].(string)
	return algorithm
}

// identity checks the claims of a token whose signature is good.
func (j *JWT) identity(claims jwt.MapClaims, signer key) (*Identity, error) {
	expires, err := timeClaim(claims, "exp")
	if err != nil {
		return nil, err
	}
	if expires.IsZero() {
		return nil, unauthorized("the token has no exp: a JWT must expire, because nothing can revoke it")
	}
	if now := time.Now(); !now.Before(expires.Add(leeway)) {
		return nil, expired("the token expired at %s", stamp(expires))
	} else if begins, err := timeClaim(claims, "nbf"); err != nil {
		return nil, err
	} else if !begins.IsZero() && now.Add(leeway).Before(begins) {
		return nil, unauthorized("the token is not valid before %s", stamp(begins))
	}
	if err := j.checkAudience(claims); err != nil {
		return nil, err
	}
	if j.config.Issuer != "" {
		issuer, err := textClaim(claims, "iss")
		if err != nil {
			return nil, err
		}
		if issuer != j.config.Issuer {
			return nil, unauthorized("the token is issued by %s; the server wants %q", quote(issuer), j.config.Issuer)
		}
	}
	name, err := textClaim(claims, "sub")
	if err != nil {
		return nil, err
	}
	if bad := badName(name); bad != "" {
		return nil, unauthorized("the token's sub %s", bad)
	}
	policy, err := textClaim(claims, j.config.PolicyClaim)
	if err != nil {
		return nil, err
	}
	if len(policy) > MaxName {
		return nil, unauthorized("the token's %s has %d bytes; at most %d are taken", j.config.PolicyClaim, len(policy), MaxName)
	}
	identity := &Identity{Name: name, Method: MethodJWT, Policy: policy, Expires: expires.Add(leeway)}
	identity.current = func() (*Identity, error) {
		if !j.config.Keys.present().has(signer.print) {
			return nil, expired("the token of %s was revoked: the server no longer takes its key", name)
		}
		return identity, nil
	}
	return identity, nil
}

func (j *JWT) checkAudience(claims jwt.MapClaims) error {
	audience, err := audienceOf(claims)
	switch {
	case err != nil:
		return err
	case len(audience) == 0 && len(j.config.Audience) == 0:
		return nil
	case len(audience) == 0:
		return unauthorized("the token has no aud; the server wants %s", alternatives(j.config.Audience))
	case len(j.config.Audience) == 0:
		return unauthorized("the token is for %s, and the server has no audience configured", quote(audience[0]))
	case !slices.ContainsFunc(audience, func(one string) bool { return slices.Contains(j.config.Audience, one) }):
		return unauthorized("the token is for %s; the server wants %s", quote(audience[0]), alternatives(j.config.Audience))
	}
	return nil
}

// audienceOf returns "aud", which is a text or a list of texts (RFC 7519, section 4.1.3).
func audienceOf(claims jwt.MapClaims) ([]string, error) {
	bad := unauthorized("the token's aud is neither a text nor a list of texts")
	value, found := claims["aud"]
	if !found {
		return nil, nil
	}
	if text, ok := value.(string); ok {
		return []string{text}, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, bad
	}
	var audience []string
	for _, one := range list {
		text, ok := one.(string)
		if !ok {
			return nil, bad
		}
		audience = append(audience, text)
	}
	return audience, nil
}

func alternatives(values []string) string {
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = strconv.Quote(value)
	}
	return strings.Join(quoted, " or ")
}

// timeClaim returns a claim that is a time; the zero value if there is none.
func timeClaim(claims jwt.MapClaims, name string) (time.Time, error) {
	value, found := claims[name]
	if !found {
		return time.Time{}, nil
	}
	seconds, ok := value.(float64) // what encoding/json makes of every number
	if !ok || !(seconds >= 1 && seconds <= lastSecond) {
		return time.Time{}, unauthorized("the token's %s is not a time: want seconds since 1970", name)
	}
	return time.Unix(int64(seconds), 0), nil
}

// textClaim returns a claim that is a text; empty if there is none.
func textClaim(claims jwt.MapClaims, name string) (string, error) {
	value, found := claims[name]
	if !found {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", unauthorized("the token's %s is not a string", name)
	}
	return text, nil
}

// maxQuote bounds what is quoted of a token's readable parts: enough for a mistake to be seen.
const maxQuote = 64

func quote(text string) string {
	if len(text) > maxQuote {
		return fmt.Sprintf("%q...", wire.Cut(text, maxQuote))
	}
	return fmt.Sprintf("%q", text)
}

// presented tells a JWT from a token of the server's own, which has no dots.
// Presented implements Method.
func (j *JWT) Presented(credentials Credentials) bool {
	return strings.Count(credentials.Token, ".") == 2
}

// Wants implements Method.
func (j *JWT) Wants() string { return "a JWT" }
