package strangers_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/mux"
)

// flood opens WebSockets that say nothing: many at once, then one every pause, until stop is
// called. It holds each until the server ends it.
func flood(t *testing.T, server *product.Server, many int, pause time.Duration) (stop func() int) {
	t.Helper()
	from := newSource(t, hostile)
	ctx, cancel := context.WithCancel(t.Context())
	opened := 0
	open := func() {
		if _, err := from.upgrade(ctx, server); err == nil {
			opened++
		}
	}
	for range many {
		open()
	}
	var task sync.WaitGroup
	task.Go(func() {
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				open()
			case <-ctx.Done():
				return
			}
		}
	})
	return func() int {
		cancel()
		task.Wait()
		from.cut()
		return opened
	}
}

// 53 upgrades a second that never say HELLO keep no newcomer out, whether it comes from another
// network or from the same, and no session that comes back.
func TestStrangersLockNoOneOut(t *testing.T) {
	const newcomers, sessions = 40, 40
	server := product.Options{Files: 4096}.Start(t, "--allow", "127.0.0.1", "--max-sessions", "100", "--max-parked", "100")
	echo := product.Echo(t)
	from := map[string]*source{honest: newSource(t, honest), hostile: newSource(t, hostile)}
	var streams []*mux.Stream
	for i := range sessions {
		streams = append(streams, product.Open(t, server.Dial(t, from[[]string{honest, hostile}[i%2]].client(server)), echo))
	}
	stop := flood(t, server, 200, time.Second/53)
	in := 0
	for i := range newcomers {
		if err := visit(t, server, from[[]string{honest, hostile}[i%2]], echo); err != nil {
			t.Errorf("newcomer %d: %v", i, err)
			continue
		}
		in++
	}
	for _, s := range from {
		s.cut()
	}
	back := 0
	for i, s := range streams {
		if err := echoes(s, 1<<10); err != nil {
			t.Errorf("session %d: %v", i, err)
			continue
		}
		back++
	}
	t.Logf("%d strangers; %d of %d newcomers in, %d of %d sessions back", stop(), in, newcomers, back, sessions)
}
