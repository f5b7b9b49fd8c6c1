package yamux

import (
	"sync/atomic"
	"time"
)

// silence is how long nothing was heard of the client. While this end does not read,
// because it has no memory for what would come, the client is not silent.
type silence struct {
	began   time.Time
	last    atomic.Int64 // nanoseconds after began
	waiting atomic.Bool  // in a Read
}

func newSilence() *silence { return &silence{began: time.Now()} }

// waits notes that a Read begins or ends.
func (s *silence) waits(begins bool) {
	s.heard()
	s.waiting.Store(begins)
}

// heard notes a sign of life.
func (s *silence) heard() { s.last.Store(int64(time.Since(s.began))) }

// lasts returns for how long the client is silent.
func (s *silence) lasts() time.Duration {
	if !s.waiting.Load() {
		return 0
	}
	return time.Since(s.began) - time.Duration(s.last.Load())
}

// watch calls ping after each time of silence, and dead after twice that time. The caller
// stops what it returns, after which neither is called.
func (s *silence) watch(pingAfter time.Duration, ping, dead func()) (stop func()) {
	over := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wait := pingAfter
		timer := time.NewTimer(wait)
		defer timer.Stop()
		for {
			due := time.Now().Add(wait)
			select {
			case <-over:
				return
			case <-timer.C:
			}
			wait = pingAfter
			switch lasted := s.lasts(); {
			case time.Since(due) > pingAfter/2:
				s.heard() // this process did not run, and what has come is not read yet
			case lasted >= 2*pingAfter:
				dead()
				return
			case lasted >= pingAfter:
				ping()
				wait = 2*pingAfter - lasted
			default:
				wait = pingAfter - lasted
			}
			timer.Reset(wait)
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}
