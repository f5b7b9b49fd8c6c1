package linktest

import (
	"bytes"
	"math/rand/v2"
)

// Endless is bytes that repeat, for tests that go on until something has happened. It is
// made by NewEndless.
type Endless []byte

// NewEndless returns random bytes.
func NewEndless(seed byte) Endless {
	e := make(Endless, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(e) // never fails
	return e
}

// From puts the bytes from at on into b, as many as there are before they repeat, and
// returns their number.
func (e Endless) From(at int, b []byte) int { return copy(b, e[at%len(e):]) }

// At reports whether these are the bytes from at on.
func (e Endless) At(at int, b []byte) bool {
	for len(b) > 0 {
		n := min(len(b), len(e)-at%len(e))
		if !bytes.Equal(b[:n], e[at%len(e):][:n]) {
			return false
		}
		at, b = at+n, b[n:]
	}
	return true
}
