package servertest

import (
	"testing"
	"time"
)

// Eventually asks each millisecond whether something is so, and fails the test where it
// is not within that time. It is for figures of a server that have no event.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(time.Millisecond) { // polls, bounded
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
