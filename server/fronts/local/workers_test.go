package local

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestWorkers runs functions at once, each beside the others, and keeps a few goroutines for a
// while.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers()
		idle := func() int {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.idle
		}
		for range 2 {
			var began, ended sync.WaitGroup
			release := make(chan struct{})
			for range 3 * maxIdle {
				began.Add(1)
				ended.Add(1)
				w.run(func() {
					defer ended.Done()
					began.Done()
					<-release
				})
			}
			began.Wait() // none waits for another
			close(release)
			ended.Wait()
			synctest.Wait()
			if n := idle(); n != maxIdle {
				t.Errorf("%d goroutines wait, want %d", n, maxIdle)
			}
		}
		time.Sleep(idleTime + 1)
		synctest.Wait()
		if n := idle(); n != 0 {
			t.Errorf("%d goroutines wait behind their time", n)
		}
		w.run(func() {})
		synctest.Wait()
		w.end() // does not wait for idleTime
	})
}
