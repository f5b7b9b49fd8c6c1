package local

import (
	"sync"
	"time"
)

const (
	// maxIdle is how many goroutines without work a tunnel keeps.
	maxIdle = 8
	// idleTime is for how long it keeps them.
	idleTime = time.Second
)

// workers run functions, each in a goroutine of its own. Goroutines wait for more work for a while:
// a new one would have to grow its stack for each connect, which costs more than the rest of it.
// The zero value is not ready, see newWorkers.
type workers struct {
	work chan func() // to those that wait
	ends chan struct{}
	all  sync.WaitGroup

	mu   sync.Mutex
	idle int
}

func newWorkers() *workers { return &workers{work: make(chan func()), ends: make(chan struct{})} }

// run runs f. It must not be called behind end.
func (w *workers) run(f func()) {
	select {
	case w.work <- f:
	default:
		w.all.Go(func() { w.runAll(f) })
	}
}

// runAll runs f, and what comes while it waits for more.
func (w *workers) runAll(f func()) {
	var timer *time.Timer
	for {
		f()
		if !w.rests(1) {
			return
		}
		if timer == nil {
			timer = time.NewTimer(idleTime)
			defer timer.Stop()
		} else {
			timer.Reset(idleTime)
		}
		select {
		case f = <-w.work:
		case <-timer.C:
			f = nil
		case <-w.ends:
			f = nil
		}
		w.rests(-1)
		if f == nil {
			return
		}
	}
}

// rests counts one more goroutine that waits, or one less. It returns false if there are too many.
func (w *workers) rests(n int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle+n > maxIdle {
		return false
	}
	w.idle += n
	return true
}

// end returns when all have ended.
func (w *workers) end() {
	close(w.ends)
	w.all.Wait()
}
