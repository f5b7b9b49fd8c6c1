package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// signers are one private key of each type; the signatures are made here by hand, so that
// library and test do not agree on a mistake.
type signers struct {
	ed     ed25519.PrivateKey
	ec     *ecdsa.PrivateKey
	rsa    *rsa.PrivateKey
	secret []byte
}

var testSigners = sync.OnceValue(func() signers {
	var s signers
	var err error
	if _, s.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		panic(err)
	}
	if s.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		panic(err)
	}
	if s.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	s.secret = []byte("0123456789abcdef0123456789abcdef")
	return s
})

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// sign returns a token over that header and those claims, signed as the algorithm wants.
func (s signers) sign(t testing.TB, algorithm, header, claims string) string {
	t.Helper()
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch algorithm {
	case eddsa:
		signature = ed25519.Sign(s.ed, []byte(signed))
	case es256:
		var r, v *big.Int
		r, v, err = ecdsa.Sign(rand.Reader, s.ec, sum[:])
		signature = make([]byte, 64)
		r.FillBytes(signature[:32])
		v.FillBytes(signature[32:])
	case rs256:
		signature, err = rsa.SignPKCS1v15(rand.Reader, s.rsa, crypto.SHA256, sum[:])
	case hs256:
		signature = mac(s.secret, signed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encode(signature)
}

func mac(secret []byte, signed string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(signed))
	return m.Sum(nil)
}

// jwks is the set of all four keys; ids are ed, ec, rsa and hs where ids is true.
func (s signers) jwks(ids bool) map[string]any {
	point, _ := s.ec.PublicKey.Bytes()
	set := []map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode(s.ed.Public().(ed25519.PublicKey))},
		{"kty": "EC", "crv": "P-256", "kid": "ec", "x": encode(point[1:33]), "y": encode(point[33:])},
		{"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": encode(s.rsa.N.Bytes()), "e": "AQAB"},
		{"kty": "oct", "kid": "hs", "k": encode(s.secret)},
	}
	if !ids {
		for _, one := range set {
			delete(one, "kid")
		}
	}
	return map[string]any{"keys": set}
}

func (s signers) pem(t testing.TB, public ...any) string {
	t.Helper()
	var text strings.Builder
	for _, one := range public {
		der, err := x509.MarshalPKIXPublicKey(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := pem.Encode(&text, &pem.Block{Type: "PUBLIC KEY", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	return text.String()
}

func asJSON(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// keysOf is a key file of that content.
func keysOf(t *testing.T, content string) *KeyFile {
	t.Helper()
	file, err := OpenKeyFile(write(t, "keys", content))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func newJWT(t *testing.T, config JWTConfig) *JWT {
	t.Helper()
	j, err := NewJWT(config)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

const goodClaims = `{"sub":"alice","exp":4102444800,"aud":"sockmux","iss":"https://issuer.example"}`

func TestJWTAlgorithms(t *testing.T) {
	s := testSigners()
	files := map[string]string{
		"with ids":    asJSON(t, s.jwks(true)),
		"without ids": asJSON(t, s.jwks(false)),
	}
	for name, file := range files {
		j := newJWT(t, JWTConfig{Keys: keysOf(t, file), Audience: []string{"sockmux"}, Issuer: "https://issuer.example"})
		for id, algorithm := range map[string]string{"ed": eddsa, "ec": es256, "rsa": rs256, "hs": hs256} {
			for _, header := range []string{fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, algorithm), fmt.Sprintf(`{"alg":%q,"kid":%q}`, algorithm, id)} {
				identity, err := j.Authenticate(t.Context(), Credentials{Token: s.sign(t, algorithm, header, goodClaims)})
				if err != nil {
					t.Errorf("%s, %s: %v", name, header, err)
					continue
				}
				if identity.Name != "alice" || identity.Method != MethodJWT || identity.Policy != "" || identity.Expires.Unix() != 4102444800+60 {
					t.Errorf("%s, %s: %+v", name, header, identity)
				}
			}
		}
	}
}

func TestJWTRefusals(t *testing.T) {
	s := testSigners()
	j := newJWT(t, JWTConfig{Keys: keysOf(t, asJSON(t, s.jwks(true))), Audience: []string{"sockmux", "other"}, Issuer: "https://issuer.example"})
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edHeader := `{"alg":"EdDSA","kid":"ed"}`
	good := s.sign(t, eddsa, edHeader, goodClaims)
	signed := good[:strings.LastIndexByte(good, '.')]
	public := s.pem(t, &s.rsa.PublicKey)
	confused := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(goodClaims))
	claims := func(text string) string {
		return s.sign(t, eddsa, edHeader, text)
	}
	header := func(text string) string { return s.sign(t, eddsa, text, goodClaims) }
	for _, test := range []struct{ name, token, want string }{
		{"none given", "", "unauthorized: no credentials: the server wants a JWT"},
		{"too long", good + strings.Repeat("A", wire.MaxToken), fmt.Sprintf("unauthorized: the token has %d bytes; at most 8192 are taken", len(good)+wire.MaxToken)},
		{"no parts", "abc", "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"four parts", good + ".", "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"no base64", "!." + good, "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"padding", signed + "=." + encode(ed25519.Sign(s.ed, []byte(signed+"="))), "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"header is no object", s.sign(t, eddsa, `[]`, goodClaims), "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"claims are no object", claims(`"x"`), "unauthorized: the token is no JWT: want three parts in base64url, the first two JSON objects"},
		{"no alg", header(`{"kid":"ed"}`), "unauthorized: the token's header has no alg"},
		{"alg is a number", header(`{"alg":1}`), "unauthorized: the token's header has no alg"},
		{"none", encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(goodClaims)) + ".", `unauthorized: the token's alg is "none"; want EdDSA, ES256, RS256 or HS256`},
		{"None", encode([]byte(`{"alg":"None"}`)) + "." + encode([]byte(goodClaims)) + ".", `unauthorized: the token's alg is "None"; want EdDSA, ES256, RS256 or HS256`},
		{"not offered", header(`{"alg":"HS512"}`), `unauthorized: the token's alg is "HS512"; want EdDSA, ES256, RS256 or HS256`},
		{"long alg", header(`{"alg":"` + strings.Repeat("x", 100) + `"}`), `unauthorized: the token's alg is "` + strings.Repeat("x", 64) + `"...; want EdDSA, ES256, RS256 or HS256`},
		{"crit", header(`{"alg":"EdDSA","crit":["exp"],"exp":1}`), "unauthorized: the token has the header crit, and none of its extensions is known"},
		{"kid is a number", header(`{"alg":"EdDSA","kid":7}`), "unauthorized: the token's header kid is not a string"},
		{"unknown kid", header(`{"alg":"EdDSA","kid":"../../etc/passwd"}`), `unauthorized: the token is signed with the EdDSA key "../../etc/passwd", which the server does not know`},
		{"kid of another algorithm", header(`{"alg":"EdDSA","kid":"rsa"}`), `unauthorized: the token is signed with the EdDSA key "rsa", which the server does not know`},
		{"public key as HMAC secret", confused + "." + encode(mac([]byte(public), confused)), "unauthorized: the token's signature is wrong"},
		{"strange key", signed + "." + encode(ed25519.Sign(stranger, []byte(signed))), "unauthorized: the token's signature is wrong"},
		{"no signature", signed + ".", "unauthorized: the token's signature is wrong"},
		{"one bit", good[:len(good)-10] + flip(good[len(good)-10]) + good[len(good)-9:], "unauthorized: the token's signature is wrong"},
		{"signature before claims", signed[:strings.IndexByte(signed, '.')+1] + encode([]byte(`{"exp":1}`)) + good[len(signed):], "unauthorized: the token's signature is wrong"},
		{"no claims", claims(`{}`), "unauthorized: the token has no exp: a JWT must expire, because nothing can revoke it"},
		{"null claims", claims(`null`), "unauthorized: the token has no exp: a JWT must expire, because nothing can revoke it"},
		{"exp is a text", claims(`{"exp":"4102444800"}`), "unauthorized: the token's exp is not a time: want seconds since 1970"},
		{"exp is null", claims(`{"exp":null}`), "unauthorized: the token's exp is not a time: want seconds since 1970"},
		{"exp is negative", claims(`{"exp":-1}`), "unauthorized: the token's exp is not a time: want seconds since 1970"},
		{"exp is huge", claims(`{"exp":1e300}`), "unauthorized: the token's exp is not a time: want seconds since 1970"},
		{"expired", claims(`{"sub":"alice","exp":1600000000}`), "expired: the token expired at 2020-09-13T12:26:40Z"},
		{"nbf is a text", claims(`{"exp":4102444800,"nbf":"x"}`), "unauthorized: the token's nbf is not a time: want seconds since 1970"},
		{"not yet", claims(`{"exp":4102444800,"nbf":4102444000}`), "unauthorized: the token is not valid before 2099-12-31T23:46:40Z"},
		{"no aud", claims(`{"exp":4102444800}`), `unauthorized: the token has no aud; the server wants "sockmux" or "other"`},
		{"aud is a number", claims(`{"exp":4102444800,"aud":1}`), "unauthorized: the token's aud is neither a text nor a list of texts"},
		{"aud is a list of numbers", claims(`{"exp":4102444800,"aud":[1]}`), "unauthorized: the token's aud is neither a text nor a list of texts"},
		{"strange aud", claims(`{"exp":4102444800,"aud":["mail","news"]}`), `unauthorized: the token is for "mail"; the server wants "sockmux" or "other"`},
		{"no iss", claims(`{"exp":4102444800,"aud":"sockmux"}`), `unauthorized: the token is issued by ""; the server wants "https://issuer.example"`},
		{"iss is a list", claims(`{"exp":4102444800,"aud":"sockmux","iss":["https://issuer.example"]}`), "unauthorized: the token's iss is not a string"},
		{"strange iss", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example/"}`), `unauthorized: the token is issued by "https://issuer.example/"; the server wants "https://issuer.example"`},
		{"no sub", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example"}`), "unauthorized: the token's sub is empty"},
		{"sub is a number", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example","sub":7}`), "unauthorized: the token's sub is not a string"},
		{"sub with a line break", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example","sub":"a\nb"}`), "unauthorized: the token's sub has characters that cannot be printed"},
		{"long sub", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example","sub":"` + strings.Repeat("a", 257) + `"}`), "unauthorized: the token's sub has 257 bytes; at most 256 are taken"},
		{"policy is a list", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example","sub":"a","sockmux_policy":["x"]}`), "unauthorized: the token's sockmux_policy is not a string"},
		{"long policy", claims(`{"exp":4102444800,"aud":"sockmux","iss":"https://issuer.example","sub":"a","sockmux_policy":"` + strings.Repeat("a", 257) + `"}`), "unauthorized: the token's sockmux_policy has 257 bytes; at most 256 are taken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := j.Authenticate(t.Context(), Credentials{Token: test.token})
			wantError(t, err, test.want)
		})
	}
}

// flip is another letter of base64.
func flip(letter byte) string {
	if letter == 'A' {
		return "B"
	}
	return "A"
}

func TestJWTClaims(t *testing.T) {
	s := testSigners()
	keys := keysOf(t, s.pem(t, s.ed.Public(), &s.ec.PublicKey, &s.rsa.PublicKey))
	now := time.Now().Unix()
	for _, test := range []struct {
		name   string
		config JWTConfig
		claims string
		policy string
		err    string
	}{
		{"bare", JWTConfig{}, `{"sub":"a","exp":4102444800}`, "", ""},
		{"policy", JWTConfig{}, `{"sub":"a","exp":4102444800,"sockmux_policy":"inside"}`, "inside", ""},
		{"policy in another claim", JWTConfig{PolicyClaim: "role"}, `{"sub":"a","exp":4102444800,"sockmux_policy":"inside","role":"r"}`, "r", ""},
		{"list of audiences", JWTConfig{Audience: []string{"x", "y"}}, `{"sub":"a","exp":4102444800,"aud":["z","y"]}`, "", ""},
		{"audience although none is configured", JWTConfig{}, `{"sub":"a","exp":4102444800,"aud":"z"}`, "", `unauthorized: the token is for "z", and the server has no audience configured`},
		{"expired within the leeway", JWTConfig{}, fmt.Sprintf(`{"sub":"a","exp":%d}`, now-30), "", ""},
		{"expired beyond it", JWTConfig{}, fmt.Sprintf(`{"sub":"a","exp":%d}`, now-60), "", "expired: the token expired at " + stamp(time.Unix(now-60, 0))},
		{"early within the leeway", JWTConfig{}, fmt.Sprintf(`{"sub":"a","exp":4102444800,"nbf":%d}`, now+30), "", ""},
		{"early beyond it", JWTConfig{}, fmt.Sprintf(`{"sub":"a","exp":4102444800,"nbf":%d}`, now+3600), "", "unauthorized: the token is not valid before " + stamp(time.Unix(now+3600, 0))},
		{"fraction", JWTConfig{}, `{"sub":"a","exp":4102444800.5}`, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.config.Keys = keys
			j := newJWT(t, test.config)
			for _, algorithm := range []string{eddsa, es256, rs256} {
				identity, err := j.Authenticate(t.Context(), Credentials{Token: s.sign(t, algorithm, `{"alg":"`+algorithm+`"}`, test.claims)})
				if test.err != "" {
					wantError(t, err, test.err)
				} else if err != nil || identity.Policy != test.policy {
					t.Errorf("%+v, %v", identity, err)
				}
			}
			_, err := j.Authenticate(t.Context(), Credentials{Token: s.sign(t, hs256, `{"alg":"HS256"}`, test.claims)})
			wantError(t, err, "unauthorized: the token is signed with HS256, and the server has no key for it")
		})
	}
}

func TestJWTIsRevokedWithItsKey(t *testing.T) {
	s := testSigners()
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := keysOf(t, s.pem(t, s.ed.Public(), other.Public()))
	j := newJWT(t, JWTConfig{Keys: file})
	token := func(s signers) Credentials {
		return Credentials{Token: s.sign(t, eddsa, `{"alg":"EdDSA"}`, `{"sub":"a","exp":4102444800}`)}
	}
	first, err := j.Authenticate(t.Context(), token(s))
	if err != nil {
		t.Fatal(err)
	}
	second, err := j.Authenticate(t.Context(), token(signers{ed: other}))
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, file.path, "broken")
	if err := file.Reload(); err == nil || err.Error() != file.path+": neither PEM nor JSON: want public keys, a JWK or a JWK set" {
		t.Fatalf("%v", err)
	}
	rewrite(t, file.path, s.pem(t, other.Public()))
	if err := file.Reload(); err != nil {
		t.Fatal(err)
	}
	_, err = first.Current()
	wantError(t, err, "expired: the token of a was revoked: the server no longer takes its key")
	if now, err := second.Current(); err != nil || now.Name != "a" {
		t.Errorf("the key that stays: %v", err)
	} else if _, err := now.Current(); err != nil {
		t.Error(err)
	}
}

func TestNewJWT(t *testing.T) {
	if _, err := NewJWT(JWTConfig{}); err == nil || err.Error() != "JWTs need keys: a file or a URL" {
		t.Errorf("%v", err)
	}
	keys, err := NewKeyURL("https://issuer.example/keys", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "keys from a URL need an audience: their issuer signs tokens for other services too, and each of those could be used here"
	if _, err := NewJWT(JWTConfig{Keys: keys}); err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
}

// No input is taken, none makes the server panic, none gets an answer that repeats it,
// and each refusal has a code.
func FuzzJWT(f *testing.F) {
	s := testSigners()
	set, err := parseKeys([]byte(asJSON(f, s.jwks(true))))
	if err != nil {
		f.Fatal(err)
	}
	file := &KeyFile{}
	file.set.Store(&set)
	j, err := NewJWT(JWTConfig{Keys: file})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][2]string{
		{`{"alg":"EdDSA","kid":"ed"}`, goodClaims},
		{`{"alg":"none"}`, goodClaims},
		{`{"alg":"HS256"}`, `{"sub":"a","exp":4102444800}`},
		{`{"alg":"RS256","kid":null,"crit":[]}`, `{"exp":1e400}`},
		{`{"alg":"ES256","alg":"none"}`, `{"exp":4102444800,"aud":[null],"sub":"\u0000"}`},
		{`null`, `[]`},
	} {
		f.Add(seed[0], seed[1], []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, header, claims string, signature []byte) {
		signed := encode([]byte(header)) + "." + encode([]byte(claims))
		for _, token := range []string{signed + "." + encode(signature), header + "." + claims + "." + string(signature), header} {
			identity, err := j.Authenticate(t.Context(), Credentials{Token: token})
			var own *wire.Error
			if err == nil || identity != nil || !errors.As(err, &own) || own.Code != wire.Unauthorized {
				t.Fatalf("%q gives %+v and %v", token, identity, err)
			}
			if len(token) > 100 && strings.Contains(err.Error(), token) || len(own.Text) > 1024 {
				t.Fatalf("%q is answered with %q", token, own.Text)
			}
		}
		// The same claims, well signed: whatever they are, what is taken is a proper identity.
		identity, err := j.Authenticate(t.Context(), Credentials{Token: s.sign(t, hs256, `{"alg":"HS256"}`, claims)})
		if err == nil {
			if badName(identity.Name) != "" || identity.Expires.Before(time.Now()) || len(identity.Policy) > MaxName {
				t.Fatalf("%q gives %+v", claims, identity)
			}
		}
	})
}
