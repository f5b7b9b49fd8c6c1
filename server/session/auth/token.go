package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/sockmux/sockmux/shared/wire"
)

// tokenPrefix lets people and scanners for leaked secrets tell what a token is for.
const tokenPrefix = "smx_"

// tokenBytes are 256 bits of chance: no attacker finds a token by trying, however fast the hash.
const tokenBytes = 32

// Bounds of tokens that people bring along. They keep passwords out: 32 characters of 12
// kinds at the least are not a password that a person remembers.
const (
	minToken         = 32
	minTokenAlphabet = 12
)

// NewToken returns a new token of 256 random bits.
func NewToken() string {
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // never fails (crypto/rand)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
}

// Hash returns what the token file keeps of a token: its SHA-256 in 64 hex digits.
//
// A single fast hash is right here, and wrong for passwords. Slow and salted hashes
// (Argon2, bcrypt) make it dear to try the guesses that people's passwords are among; a
// token of 256 random bits is in no list of guesses. So a stolen file gives no token
// away, and a server that checks a flood of wrong tokens spends a microsecond on each
// rather than 100 ms and 64 MiB. Hash therefore refuses what may be a password.
func Hash(token string) (string, error) {
	if err := checkToken(token); err != nil {
		return "", err
	}
	sum := digestOf(token)
	return hex.EncodeToString(sum[:]), nil
}

// Verify tells by its error whether a token is not the one that was hashed; hash is as
// Hash returns it.
func Verify(token, hash string) error {
	want, err := parseDigest(hash)
	if err != nil {
		return err
	}
	got := digestOf(token)
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return errors.New("the token does not match the hash")
	}
	return nil
}

func checkToken(token string) error {
	if len(token) < minToken {
		return fmt.Errorf("the token has %d characters; want %d or more, best one of `sockmux token new`", len(token), minToken)
	}
	if len(token) > wire.MaxToken {
		return fmt.Errorf("the token has %d characters; at most %d fit into a hello", len(token), wire.MaxToken)
	}
	kinds := make(map[byte]bool)
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return fmt.Errorf("character %d of the token is not printable ASCII", i+1)
		}
		kinds[token[i]] = true
	}
	if len(kinds) < minTokenAlphabet {
		return fmt.Errorf("the token has %d different characters; want %d or more: it must be random, best one of `sockmux token new`", len(kinds), minTokenAlphabet)
	}
	return nil
}

// digest is the SHA-256 of a token.
type digest [sha256.Size]byte

func digestOf(token string) digest { return sha256.Sum256([]byte(token)) }

func parseDigest(text string) (digest, error) {
	var d digest
	// A wrong hash is not quoted: it may be a token that was not hashed by mistake.
	if len(text) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("the hash has %d characters; want the 64 hex digits that `sockmux token hash` prints", len(text))
	}
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return d, errors.New("the hash has characters that are no hex digits; want the 64 that `sockmux token hash` prints")
	}
	return d, nil
}
