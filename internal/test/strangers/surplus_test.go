package strangers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
)

// A client that holds most of all sessions, each with a connection, takes no detached session of
// a client that holds fewer.
func TestLiveSessionsOfOneClientTakeNoDetachedOnes(t *testing.T) {
	const sessions, own = 12, 3
	server := product.Start(t, "--allow", "127.0.0.1", "--max-sessions", "12")
	echo := product.Echo(t)
	many, few := newSource(t, hostile), newSource(t, honest)
	back := make(chan struct{})
	var streams []*mux.Stream
	for range own {
		streams = append(streams, product.Open(t, server.Dial(t, few.client(server), away(back)), echo))
	}
	for range sessions - own {
		product.Open(t, server.Dial(t, many.client(server)), echo)
	}
	few.cut()
	for began := time.Now(); parked(server) < own; time.Sleep(10 * time.Millisecond) { // polls, bounded
		if time.Since(began) > patience {
			t.Fatalf("%d of %d sessions are parked", parked(server), own)
		}
	}
	for range own {
		if err := many.abandon(t.Context(), server); err == nil {
			t.Error("a client with most of the sessions got one more")
		}
	}
	close(back)
	for i, s := range streams {
		if err := echoes(s, 1<<10); err != nil {
			t.Errorf("session %d: %v", i, err)
		}
	}
}

// parked returns how many times a session has lost its connection.
func parked(server *product.Server) (n int) {
	for _, line := range server.Log() {
		if strings.Contains(line, "session parked") {
			n++
		}
	}
	return n
}

// away lets a client dial once, and again when back is closed.
func away(back <-chan struct{}) func(*client.Config) {
	return func(c *client.Config) {
		dial, first := c.Dial, true
		c.Dial = func(ctx context.Context) (link.Carrier, error) {
			if !first {
				select {
				case <-back:
				case <-ctx.Done():
					return nil, context.Cause(ctx)
				}
			}
			first = false
			return dial(ctx)
		}
	}
}
