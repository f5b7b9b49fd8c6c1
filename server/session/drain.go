package session

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// flushTimeout is how long the last bytes and the CLOSE of a session may take when its
// streams have ended or their time is over.
const flushTimeout = 2 * time.Second

// Drain takes no new sessions and streams, tells every client, and waits until the
// streams have ended or the context is done; then each session ends with the code
// draining. Sessions may come back over new carriers meanwhile. It returns the context's
// error if streams were cut.
func (r *Registry) Drain(ctx context.Context) error {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	var in time.Duration
	if deadline, ok := ctx.Deadline(); ok {
		in = max(0, time.Until(deadline))
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	var cut error
	for _, s := range r.all() {
		wait.Go(func() {
			if err := s.drained(ctx, in); err != nil {
				mu.Lock()
				cut = err
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return cut
}

// drained drains one session and ends it.
func (s *session) drained(ctx context.Context, in time.Duration) (err error) {
	const text = "the server is going away"
	s.drain(in, text)
	select {
	case <-s.idle:
	case <-s.tunnel.Done():
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	}
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	_ = s.tunnel.Shutdown(flush, wire.Draining, text) // its end is what counts
	s.fail(wire.NewError(wire.Draining, text))        // a detached one too
	return err
}
