package relay

import (
	"sync"
	"sync/atomic"
	"time"
)

// idle calls a function once nothing has happened for a time. What happens is told by
// touch, which is cheap: the timer is not moved, it looks at its end whether it came too
// early. nil never calls.
type idle struct {
	timeout time.Duration
	began   time.Time
	last    atomic.Int64 // nanoseconds after began

	mu      sync.Mutex // held while the function runs, so that stop waits for it
	stopped bool
	timer   *time.Timer
}

// startIdle returns a running idle; with a timeout of 0 nil. The caller stops it.
func startIdle(timeout time.Duration, call func()) *idle {
	if timeout <= 0 {
		return nil
	}
	i := &idle{timeout: timeout, began: time.Now()}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer = time.AfterFunc(timeout, func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.stopped {
			return
		}
		quiet := time.Since(i.began) - time.Duration(i.last.Load())
		if left := i.timeout - quiet; left > 0 {
			i.timer.Reset(left)
			return
		}
		call()
	})
	return i
}

func (i *idle) touch() {
	if i != nil {
		i.last.Store(int64(time.Since(i.began)))
	}
}

// stop ends it. Afterwards the function does not run any more.
func (i *idle) stop() {
	if i == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stopped = true
	i.timer.Stop()
}
