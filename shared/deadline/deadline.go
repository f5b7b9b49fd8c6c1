// Package deadline keeps the deadlines of connections, as net.Conn has them.
//
//	c.mu.Lock()
//	c.deadline.Set(t, &c.mu, c.change.Broadcast)
//	for !c.deadline.Passed() && c.empty() {
//		c.change.Wait()
//	}
package deadline

import (
	"sync"
	"time"
)

// Deadline is a time from which on an operation fails. The zero value is none. The caller's
// lock guards it.
type Deadline struct {
	timer  *time.Timer // nil: none runs
	passed bool
}

// Passed reports whether the time has come.
func (d *Deadline) Passed() bool { return d.passed }

// Set sets the time, also after an earlier one has passed. The zero time sets none. Set calls
// pass, with the lock held, when the time has come: at once if it lies in the past. The caller
// holds the lock. A timer keeps what pass refers to until the time has come or Set is called
// again.
func (d *Deadline) Set(t time.Time, lock sync.Locker, pass func()) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.passed = false
	switch wait := time.Until(t); {
	case t.IsZero():
	case wait <= 0:
		d.passed = true
		pass()
	default:
		var timer *time.Timer
		timer = time.AfterFunc(wait, func() {
			lock.Lock()
			defer lock.Unlock()
			if d.timer == timer { // else another time was set
				d.passed = true
				pass()
			}
		})
		d.timer = timer
	}
}
