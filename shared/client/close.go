package client

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// flushTimeout is how long the last bytes of a client that is closed may wait without
	// progress: for another carrier, or for acknowledgements. Nothing else bounds them.
	flushTimeout = 2 * time.Second
	// flushLook is how often progress is looked for.
	flushLook = flushTimeout / 8
	// closeTimeout is how long the carrier may take to close behind the last message. A
	// WebSocket closes in a round trip; one whose peer does not answer gives up in a few
	// seconds.
	closeTimeout = 5 * time.Second
)

// Close ends each open stream as the end of a program does: what Write has taken is
// delivered, then comes the FIN; a stream with a Write under way is reset with the code
// aborted. Then Close ends all sessions and waits for their goroutines. It gives up what
// makes no progress for 2 s, or for 15 s if there was no connection yet.
func (c *Client) Close() {
	c.mu.Lock()
	c.closing = true
	var flush sync.WaitGroup
	for s := range c.live {
		flush.Go(s.flush)
	}
	close(c.retry) // a session that waits for its next attempt has no time to wait
	c.retry = make(chan struct{})
	c.mu.Unlock()
	flush.Wait()
	c.end()
	c.tasks.Wait()
}

// flush ends the streams of the session and closes it behind their last bytes.
func (s *session) flush() {
	if !s.connected() && s.welcomed() == nil && s.mux.Streams() == 0 {
		return // there is nothing to deliver
	}
	ctx, stop := WhileProgress(s.progress, func() time.Duration { return Patience(s.welcomed() != nil) })
	_ = s.mux.CloseStreams(ctx)               // the session ends either way
	sent := s.link.Shutdown(ctx, wire.OK, "") // as above
	stop()
	if sent != nil {
		return
	}
	// The last message is with the carrier now. A carrier that is cut short takes it along.
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case <-s.finished:
	case <-timer.C:
	}
}

// Patience returns how long the last bytes of a session may wait without progress. The first
// dial has its own time.
func Patience(connected bool) time.Duration {
	if !connected {
		return answerTimeout
	}
	return flushTimeout
}

// WhileProgress returns a context that ends when progress has returned the same figure for
// the time of patience. It calls both from a goroutine of its own, several times a second.
// The caller must call stop, which waits for that goroutine.
func WhileProgress(progress func() uint64, patience func() time.Duration) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var task sync.WaitGroup
	task.Go(func() {
		tick := time.NewTimer(flushLook)
		defer tick.Stop()
		last := progress()
		for idle := time.Duration(0); idle < patience(); idle += flushLook {
			select {
			case <-tick.C:
				tick.Reset(flushLook)
			case <-ctx.Done():
				return
			}
			if now := progress(); now != last {
				last, idle = now, 0
			}
		}
		cancel()
	})
	return ctx, func() {
		cancel()
		task.Wait()
	}
}
