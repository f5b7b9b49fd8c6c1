package relay

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var called []time.Duration
		i := startIdle(time.Minute, func() { called = append(called, time.Since(began)) })
		for range 5 {
			time.Sleep(40 * time.Second) // fake time
			i.touch()
		}
		time.Sleep(10 * time.Minute)
		i.stop()
		if len(called) != 1 || called[0] != 5*40*time.Second+time.Minute {
			t.Errorf("called at %v; want a minute after the last touch, once", called)
		}
	})
}

func TestIdleStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := startIdle(time.Minute, func() { t.Error("called after stop") })
		i.stop()
		never := startIdle(0, func() { t.Error("called without a timeout") })
		never.touch()
		time.Sleep(time.Hour)
		never.stop()
	})
}
