package strangers_test

import (
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

// A client that leaves many sessions behind loses them first, not the next one that loses its
// connection.
func TestDetachedSessionsOfOneClient(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1", "--max-parked", "20")
	echo := product.Echo(t)
	away, stay := newSource(t, hostile), newSource(t, honest)
	stream := product.Open(t, server.Dial(t, stay.client(server)), echo)
	for range 40 {
		if err := away.abandon(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		stay.cut()
		if err := echoes(stream, 1<<10); err != nil {
			t.Fatalf("cut %d: %v", i, err)
		}
	}
}

// A client that leaves as many sessions behind as there may be keeps no newcomer out.
func TestDetachedSessionsKeepNoOneOut(t *testing.T) {
	const sessions = 30
	server := product.Start(t, "--allow", "127.0.0.1", "--max-sessions", "30", "--max-parked", "30")
	echo := product.Echo(t)
	away, stay := newSource(t, hostile), newSource(t, honest)
	for range sessions {
		if err := away.abandon(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		if err := visit(t, server, stay, echo); err != nil {
			t.Errorf("newcomer %d: %v", i, err)
		}
	}
}
