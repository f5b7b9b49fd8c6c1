package yamux

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSilence pings after the time of silence, and gives up after twice that time.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilence()
		began := time.Now()
		pings, dead := make(chan time.Duration, 10), make(chan time.Duration, 10)
		stop := s.watch(10*time.Second, func() { pings <- time.Since(began) }, func() { dead <- time.Since(began) })
		defer stop()
		s.waits(true)
		time.Sleep(8 * time.Second)
		s.heard()
		if got := <-pings; got != 18*time.Second {
			t.Errorf("a ping after %s, want 18 s", got)
		}
		if got := <-dead; got != 28*time.Second || len(pings) > 0 {
			t.Errorf("dead after %s and %d more pings, want 28 s and none", got, len(pings))
		}
	})
}

// TestSilenceOfThisEnd holds nothing against the client while this end does not read.
func TestSilenceOfThisEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSilence()
		calls := make(chan string, 10)
		stop := s.watch(time.Second, func() { calls <- "ping" }, func() { calls <- "dead" })
		s.waits(true)
		s.waits(false)
		time.Sleep(time.Minute)
		s.waits(true)
		synctest.Wait()
		if len(calls) > 0 {
			t.Errorf("%s", <-calls)
		}
		stop()
		time.Sleep(time.Minute)
		if len(calls) > 0 {
			t.Errorf("%s after the stop", <-calls)
		}
	})
}
