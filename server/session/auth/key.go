package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Algorithms of JWS (RFC 7518, section 3.1; RFC 8037). There is one for each type of key,
// so what a token's header says can never make a key be used otherwise than it was made
// for, such as a public key as an HMAC secret (RFC 8725, section 3.1).
const (
	eddsa = "EdDSA"
	es256 = "ES256"
	rs256 = "RS256"
	hs256 = "HS256"
)

var algorithms = []string{eddsa, es256, rs256, hs256}

// Bounds of keys.
const (
	minSecret  = 32   // bytes of an HMAC secret: the size of the hash (RFC 7518, section 3.2)
	minRSABits = 2048 // RFC 7518, section 3.3
	maxRSABits = 8192 // larger ones only make the check slow
	maxKeys    = 100  // of one set; each may be tried on a token without a key id
	maxKeyID   = 256
)

// key checks the signatures of one algorithm.
type key struct {
	id        string // "kid"; empty: any
	algorithm string
	material  any // ed25519.PublicKey, *ecdsa.PublicKey, *rsa.PublicKey or []byte
	print     digest
}

// keys is a set of them. It does not change.
type keys []key

// candidates are the keys that may have signed a token with that header.
func (k keys) candidates(algorithm, id string) keys {
	var found keys
	for _, one := range k {
		if one.algorithm == algorithm && (id == "" || one.id == "" || one.id == id) {
			found = append(found, one)
		}
	}
	return found
}

func (k keys) has(print digest) bool {
	return slices.ContainsFunc(k, func(one key) bool { return one.print == print })
}

func (k keys) hasAlgorithm(algorithm string) bool {
	return slices.ContainsFunc(k, func(one key) bool { return one.algorithm == algorithm })
}

// parseKeys reads PEM blocks, a JWK or a JWK set.
func parseKeys(data []byte) (keys, error) {
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return parseJWKs(data, true)
	}
	return parsePEM(data)
}

func parsePEM(data []byte) (keys, error) {
	var set keys
	for number := 1; ; number++ {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		public, err := parseBlock(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", number, block.Type, err)
		}
		one, err := publicKey(public)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d (%s): %w", number, block.Type, err)
		}
		set = append(set, one)
	}
	switch {
	case len(set) == 0:
		return nil, errors.New("neither PEM nor JSON: want public keys, a JWK or a JWK set")
	case len(set) > maxKeys:
		return nil, fmt.Errorf("%d keys; at most %d are taken", len(set), maxKeys)
	}
	return set, nil
}

var errPrivate = errors.New("a private key: want the public key, because the private one can make tokens")

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY":
		return nil, errPrivate
	}
	return nil, errors.New("want PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE")
}

// publicKey gives the key the one algorithm that its type has.
func publicKey(public any) (key, error) {
	one := key{material: public}
	switch public := public.(type) {
	case ed25519.PublicKey:
		one.algorithm = eddsa
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return key{}, fmt.Errorf("the curve is %s; ES256 wants P-256", public.Curve.Params().Name)
		}
		one.algorithm = es256
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return key{}, fmt.Errorf("the RSA key has %d bits; want %d to %d", bits, minRSABits, maxRSABits)
		}
		if public.E < 3 || public.E%2 == 0 {
			return key{}, fmt.Errorf("the RSA exponent is %d; want an odd number of 3 or more", public.E)
		}
		one.algorithm = rs256
	default:
		return key{}, fmt.Errorf("keys of type %T are not supported; want Ed25519, ECDSA P-256 or RSA", public)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return key{}, err
	}
	one.print = sha256.Sum256(append([]byte(one.algorithm), der...))
	return one, nil
}

// jwk is a JSON Web Key (RFC 7517; members of section 6 of RFC 7518 and of RFC 8037).
type jwk struct {
	Type      string   `json:"kty"`
	ID        string   `json:"kid"`
	Use       string   `json:"use"`
	Ops       []string `json:"key_ops"`
	Algorithm string   `json:"alg"`
	Curve     string   `json:"crv"`
	X         string   `json:"x"`
	Y         string   `json:"y"`
	N         string   `json:"n"`
	E         string   `json:"e"`
	K         string   `json:"k"`
	D         string   `json:"d"` // of private keys
}

// parseJWKs reads a JWK or a JWK set. go-jose/v4 does not serve: it ignores key_ops, and
// its errors name neither the number of the key nor the member. Keys that are for
// something else, or of types that are not known, are left out, as RFC 7517, section 5,
// asks; one that is malformed is an error. Secrets are taken only where they are kept: in
// a file, not from a URL.
func parseJWKs(data []byte, secrets bool) (keys, error) {
	var set struct {
		Keys []jwk `json:"keys"`
		jwk
	}
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("not a JWK set: %w", err)
	}
	if set.Keys == nil && set.Type != "" {
		set.Keys = []jwk{set.jwk}
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys; at most %d are taken", len(set.Keys), maxKeys)
	}
	var found keys
	for i, one := range set.Keys {
		if one.Use != "" && one.Use != "sig" || one.Ops != nil && !slices.Contains(one.Ops, "verify") {
			continue
		}
		k, err := one.parse(secrets)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		if k.material != nil && (one.Algorithm == "" || one.Algorithm == k.algorithm || one.Algorithm == "Ed25519" && k.algorithm == eddsa) {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no key in it is for checking signatures with EdDSA, ES256, RS256 or HS256")
	}
	return found, nil
}

// parse returns a key without material for what is not known.
func (j jwk) parse(secrets bool) (key, error) {
	if len(j.ID) > maxKeyID {
		return key{}, fmt.Errorf("kid has %d bytes; at most %d are taken", len(j.ID), maxKeyID)
	}
	if j.D != "" {
		return key{}, errPrivate
	}
	var public any
	switch {
	case j.Type == "oct":
		if !secrets {
			return key{}, errors.New("a secret (kty oct) must not come from a URL: put it into a file")
		}
		secret, err := number("k", j.K)
		if err != nil {
			return key{}, err
		}
		if len(secret) < minSecret {
			return key{}, fmt.Errorf("the secret has %d bytes; HS256 wants %d or more", len(secret), minSecret)
		}
		return key{id: j.ID, algorithm: hs256, material: secret, print: sha256.Sum256(append([]byte(hs256), secret...))}, nil
	case j.Type == "OKP" && j.Curve == "Ed25519":
		x, err := number("x", j.X)
		if err != nil {
			return key{}, err
		}
		if len(x) != ed25519.PublicKeySize {
			return key{}, fmt.Errorf("x has %d bytes; Ed25519 has %d", len(x), ed25519.PublicKeySize)
		}
		public = ed25519.PublicKey(x)
	case j.Type == "EC" && j.Curve == "P-256":
		x, err := number("x", j.X)
		if err != nil {
			return key{}, err
		}
		y, err := number("y", j.Y)
		if err != nil {
			return key{}, err
		}
		const size = 32
		if len(x) != size || len(y) != size {
			return key{}, fmt.Errorf("x and y have %d and %d bytes; P-256 has %d", len(x), len(y), size)
		}
		point := slices.Concat([]byte{4}, x, y) // SEC 1, section 2.3.3: uncompressed
		if public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point); err != nil {
			return key{}, errors.New("x and y are not a point of P-256")
		}
	case j.Type == "RSA":
		n, err := number("n", j.N)
		if err != nil {
			return key{}, err
		}
		e, err := number("e", j.E)
		if err != nil {
			return key{}, err
		}
		exponent := new(big.Int).SetBytes(e)
		if exponent.BitLen() > 31 {
			return key{}, fmt.Errorf("the RSA exponent has %d bits; at most 31 are taken", exponent.BitLen())
		}
		public = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	default:
		return key{}, nil
	}
	one, err := publicKey(public)
	one.id = j.ID
	return one, err
}

// number decodes a member in base64url (RFC 7515, section 2).
func number(name, text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil, fmt.Errorf("%s is missing or not base64url", name) // not quoted: it may be a secret
	}
	return b, nil
}
