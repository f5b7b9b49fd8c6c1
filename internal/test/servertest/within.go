package servertest

import (
	"testing"
	"time"
)

// Within returns what a channel gives, and fails the test where that is not within some time.
func Within[T any](t testing.TB, some time.Duration, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(some):
		t.Fatalf("never: %s", what)
		panic("unreachable")
	}
}
