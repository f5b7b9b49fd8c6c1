//go:build !race

package strangers_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
)

// Sessions that were closed and whose targets take their time give way where memory is scarce.
// One that has lost its connection stays.
//
// Memory is scarce for five seconds here, which is too short for programs that the race detector
// slows down: `make test-go` runs this test without it.
func TestMemoryOfClosedSessions(t *testing.T) {
	const (
		piece    = 370 << 10       // the target's system takes half of it
		scarce   = 48              // MiB
		attempts = 8               // to hold that much
		stuck    = 2 * time.Second // where the server does not take a piece for so long the hog is full
		gone     = 8 * time.Second // longer than a session without a connection is safe
	)
	server := product.StartEnv(t, []string{"SOCKMUX_MAX_MEMORY=64MiB"}, "--allow", "127.0.0.1", "--admin", "127.0.0.1:0")
	from := newSource(t, honest)
	var away atomic.Bool
	c := server.Dial(t, from.client(server), func(config *client.Config) {
		dial := config.Dial
		config.Dial = func(ctx context.Context) (link.Carrier, error) {
			if away.Load() {
				return nil, errors.New("the network is away")
			}
			return dial(ctx)
		}
	})
	request := deaf(t)
	// fill reports whether the server has taken a piece more.
	fill := func(c *client.Client) bool {
		s, err := c.Open(request())
		if err != nil {
			return false
		}
		if _, err = s.Write(make([]byte, piece)); err != nil {
			return false
		}
		// The stream's window takes more than a piece, so Write returns before the server has it.
		for end := time.Now().Add(stuck); time.Now().Before(end); time.Sleep(time.Millisecond) { // polls, bounded
			if stats, ok := c.Stats(); ok && stats.Unacknowledged == 0 {
				return true
			}
		}
		return false
	}
	stream := product.Open(t, c, product.Echo(t))
	if !fill(c) {
		t.Fatal("the session that stays could not write")
	}
	held := func() int { return int(server.Metric(t, "sockmux_session_memory_bytes")) >> 20 }
	// A busy machine fills so slowly that the first of the closed ones give way
	// meanwhile, or that a hog reaches the share of one alone. Then others follow.
	for attempt := 1; held() < scarce; attempt++ {
		if attempt > attempts {
			t.Fatalf("%d MiB are held, and %d are scarce", held(), scarce)
		}
		for _, share := range []int{30, 44, 51} { // in MiB, nearly what each may hold
			hog := server.Dial(t, newSource(t, hostile).client(server))
			for held() < share && fill(hog) {
			}
			hog.Close()
		}
	}
	away.Store(true)
	from.cut()
	time.Sleep(gone) // the time of the network, not a wait for something
	away.Store(false)
	c.RetryNow()
	if err := echoes(stream, 1<<10); err != nil {
		t.Errorf("the session that was away for %s: %v", gone, err)
	}
}
