package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestParseKeys(t *testing.T) {
	s := testSigners()
	ed := encode(s.ed.Public().(ed25519.PublicKey))
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(s.ed)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	short := encode(append([]byte{0x80}, make([]byte, 127)...))
	const isPrivate = "a private key: want the public key, because the private one can make tokens"
	const unusable = "no key in it is for checking signatures with EdDSA, ES256, RS256 or HS256"
	for _, test := range []struct{ name, give, want string }{
		{"empty", "", "neither PEM nor JSON: want public keys, a JWK or a JWK set"},
		{"text", "hello", "neither PEM nor JSON: want public keys, a JWK or a JWK set"},
		{"PEM", "comment\n" + s.pem(t, s.ed.Public(), &s.ec.PublicKey, &s.rsa.PublicKey), "EdDSA ES256 RS256"},
		{"PKCS 1", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&s.rsa.PublicKey)), "RS256"},
		{"certificate", block("CERTIFICATE", authority(t).certificate.Raw), "ES256"},
		{"private PEM", s.pem(t, s.ed.Public()) + block("PRIVATE KEY", private), "PEM block 2 (PRIVATE KEY): " + isPrivate},
		{"other PEM", block("SSH KEY", private), "PEM block 1 (SSH KEY): want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE"},
		{"P-384 in PEM", s.pem(t, &p384.PublicKey), "PEM block 1 (PUBLIC KEY): the curve is P-384; ES256 wants P-256"},
		{"too many", strings.Repeat(s.pem(t, s.ed.Public()), maxKeys+1), "101 keys; at most 100 are taken"},
		{"set", " \n" + asJSON(t, s.jwks(true)), "EdDSA ES256 RS256 HS256"},
		{"one JWK", `{"kty":"OKP","crv":"Ed25519","x":"` + ed + `"}`, "EdDSA"},
		{"alg of RFC 9864", `{"kty":"OKP","crv":"Ed25519","alg":"Ed25519","x":"` + ed + `"}`, "EdDSA"},
		{"broken JSON", `{"keys":`, "not a JWK set: unexpected end of JSON input"},
		{"empty set", `{"keys":[]}`, unusable},
		{"for other uses", `{"keys":[{"kty":"OKP","crv":"Ed25519","use":"enc","x":"` + ed + `"},{"kty":"OKP","crv":"Ed25519","key_ops":["sign"],"x":"` + ed + `"},` +
			`{"kty":"RSA","alg":"PS256","n":"` + encode(s.rsa.N.Bytes()) + `","e":"AQAB"},{"kty":"OKP","crv":"X25519","x":"` + ed + `"},{"kty":"EC","crv":"P-521"},{"kty":"new"}]}`, unusable},
		{"private JWK", `{"kty":"OKP","crv":"Ed25519","x":"` + ed + `","d":"` + ed + `"}`, "key 1: " + isPrivate},
		{"short x", `{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`, "key 1: x has 3 bytes; Ed25519 has 32"},
		{"no x", `{"kty":"OKP","crv":"Ed25519"}`, "key 1: x is missing or not base64url"},
		{"not on the curve", `{"keys":[{"kty":"new"},{"kty":"EC","crv":"P-256","x":"` + ed + `","y":"` + ed + `"}]}`, "key 2: x and y are not a point of P-256"},
		{"short point", `{"kty":"EC","crv":"P-256","x":"AAAA","y":"` + ed + `"}`, "key 1: x and y have 3 and 32 bytes; P-256 has 32"},
		{"short RSA", `{"kty":"RSA","n":"` + short + `","e":"AQAB"}`, "key 1: the RSA key has 1024 bits; want 2048 to 8192"},
		{"even exponent", `{"kty":"RSA","n":"` + encode(s.rsa.N.Bytes()) + `","e":"Ag"}`, "key 1: the RSA exponent is 2; want an odd number of 3 or more"},
		{"exponent 1", `{"kty":"RSA","n":"` + encode(s.rsa.N.Bytes()) + `","e":"AQ"}`, "key 1: the RSA exponent is 1; want an odd number of 3 or more"},
		{"huge exponent", `{"kty":"RSA","n":"` + encode(s.rsa.N.Bytes()) + `","e":"` + ed + `"}`, "key 1: the RSA exponent has " + bits(s) + " bits; at most 31 are taken"},
		{"short secret", `{"kty":"oct","k":"AAAA"}`, "key 1: the secret has 3 bytes; HS256 wants 32 or more"},
		{"secret that is no base64url", `{"kty":"oct","k":"hunter2!"}`, "key 1: k is missing or not base64url"},
		{"long kid", `{"kty":"OKP","crv":"Ed25519","kid":"` + strings.Repeat("k", 257) + `","x":"` + ed + `"}`, "key 1: kid has 257 bytes; at most 256 are taken"},
		{"many JWKs", `{"keys":[` + strings.Repeat(`{"kty":"x"},`, maxKeys) + `{}]}`, "101 keys; at most 100 are taken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			set, err := parseKeys([]byte(test.give))
			var got []string
			for _, one := range set {
				got = append(got, one.algorithm)
			}
			text := strings.Join(got, " ")
			if err != nil {
				text = err.Error()
			}
			if text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
		})
	}
}

// bits is how long the test's Ed25519 key is as a number.
func bits(s signers) string {
	return strconv.Itoa(new(big.Int).SetBytes(s.ed.Public().(ed25519.PublicKey)).BitLen())
}

func TestOpenKeyFile(t *testing.T) {
	path := write(t, "keys", "x")
	if _, err := OpenKeyFile(path + "x"); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the key file: open ") {
		t.Errorf("%v", err)
	}
}

func FuzzKeys(f *testing.F) {
	s := testSigners()
	f.Add([]byte(asJSON(f, s.jwks(true))))
	f.Add([]byte(s.pem(f, s.ed.Public(), &s.ec.PublicKey)))
	f.Add([]byte(`{"kty":"RSA","n":"AQ","e":""}`))
	f.Add([]byte(`{"keys":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseKeys(data)
		if err == nil && (len(set) == 0 || len(set) > maxKeys) {
			t.Fatalf("%d keys and no error", len(set))
		}
		for _, one := range set {
			if one.material == nil || one.algorithm == "" {
				t.Fatalf("half a key: %+v", one)
			}
		}
	})
}
