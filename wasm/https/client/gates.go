package client

import (
	"context"
	"sync"
)

// gates let the first request to a host go alone until it has a connection. So a hundred requests
// to a host with HTTP/2 make one connection, and only requests to a host without it make more.
type gates struct {
	mu    sync.Mutex
	open  map[string]struct{}      // hosts that had a connection
	first map[string]chan struct{} // hosts whose first request has none yet; closed when it passes
}

// maxKnown bounds the names that are kept. Without one, a host's next request goes alone again.
const maxKnown = 1024

// enter waits while another request is the first to the host. The caller must call passed when it
// has a connection or has failed, any number of times.
func (g *gates) enter(ctx context.Context, host string) (passed func(connected bool), err error) {
	g.mu.Lock()
	if g.open == nil {
		g.open, g.first = make(map[string]struct{}), make(map[string]chan struct{})
	}
	if _, known := g.open[host]; known {
		g.mu.Unlock()
		return func(bool) {}, nil
	}
	if wait, busy := g.first[host]; busy {
		g.mu.Unlock()
		select {
		case <-wait:
			return func(bool) {}, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	wait := make(chan struct{})
	g.first[host] = wait
	g.mu.Unlock()
	var once sync.Once
	return func(connected bool) {
		once.Do(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			delete(g.first, host)
			if connected {
				if len(g.open) >= maxKnown {
					clear(g.open)
				}
				g.open[host] = struct{}{}
			}
			close(wait)
		})
	}, nil
}
