package strangers_test

import (
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/mux"
)

// A crowd of idle sessions does not use up the memory: none that works ends for it.
func TestIdleSessionsUseUpNoMemory(t *testing.T) {
	const crowd, streams = 800, 10
	server := product.Options{Files: 4096}.Start(t, "--allow", "127.0.0.1", "--max-memory", "32MiB")
	echo := product.Echo(t)
	c := server.Dial(t, newSource(t, honest).client(server))
	var open []*mux.Stream
	for range streams {
		open = append(open, product.Open(t, c, echo))
	}
	idle := newSource(t, hostile)
	refused := 0
	for range crowd {
		if err := idle.abandon(t.Context(), server); err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Errorf("%d sessions fit into 32 MiB", crowd)
	}
	for began := time.Now(); time.Since(began) < 3*time.Second; { // memory is looked at every second
		for i, s := range open {
			if err := echoes(s, 1<<10); err != nil {
				t.Fatalf("stream %d: %v", i, err)
			}
		}
	}
}
