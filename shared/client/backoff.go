package client

import (
	"math/rand/v2"
	"time"
)

// Bounds of the pauses between attempts: the first is made at once, then they double. Half of
// each is random, so that the clients of a restarted server do not come at the same moment.
const (
	minBackoff = 250 * time.Millisecond
	maxBackoff = 10 * time.Second
)

// pause waits; it returns false when the client was closed.
func (s *session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.client.kicked():
	case <-s.client.life.Done():
		return false
	}
	return true
}

// backoff is the pause before an attempt, from the second on.
func backoff(attempt int) time.Duration {
	d := maxBackoff
	if shift := attempt - 2; shift < 6 {
		d = min(d, minBackoff<<shift)
	}
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}
