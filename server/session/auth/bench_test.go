package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The cost of a wrong token is what an attacker can make the server spend.
func BenchmarkUnknownToken(b *testing.B) {
	var file strings.Builder
	for i := range 10_000 {
		token := NewToken()
		text, err := Line(fmt.Sprintf("client-%d", i), token, "", time.Time{})
		if err != nil {
			b.Fatal(err)
		}
		file.WriteString(text + "\n")
	}
	entries, err := parseTokens("tokens", []byte(file.String()))
	if err != nil {
		b.Fatal(err)
	}
	known := make(map[digest]entry)
	for _, e := range entries {
		known[e.digest] = e
	}
	tokens := &Tokens{}
	tokens.known.Store(&known)
	wrong := Credentials{Token: NewToken()}
	for b.Loop() {
		if _, err := tokens.Authenticate(b.Context(), wrong); err == nil {
			b.Fatal("a wrong token is taken")
		}
	}
}

func BenchmarkForgedJWT(b *testing.B) {
	s := testSigners()
	set, err := parseKeys([]byte(asJSON(b, s.jwks(true))))
	if err != nil {
		b.Fatal(err)
	}
	file := &KeyFile{}
	file.set.Store(&set)
	j, err := NewJWT(JWTConfig{Keys: file})
	if err != nil {
		b.Fatal(err)
	}
	for _, algorithm := range algorithms {
		token := s.sign(b, algorithm, `{"alg":"`+algorithm+`"}`, goodClaims)
		at := strings.LastIndexByte(token, '.') + 9 // in the signature
		forged := Credentials{Token: token[:at] + flip(token[at]) + token[at+1:]}
		b.Run(algorithm, func(b *testing.B) {
			for b.Loop() {
				if _, err := j.Authenticate(b.Context(), forged); err == nil || err.Error() != "unauthorized: the token's signature is wrong" {
					b.Fatal(err)
				}
			}
		})
	}
}
