package limit

import "sync/atomic"

// Counter counts refusals by reason. Any number of goroutines may use one; it is made by NewCounter.
type Counter struct {
	counts map[Reason]*atomic.Uint64 // the map does not change
}

// NewCounter returns a counter in which nothing has happened.
func NewCounter() *Counter {
	c := &Counter{counts: make(map[Reason]*atomic.Uint64)}
	for _, r := range Reasons() {
		c.counts[r] = new(atomic.Uint64)
	}
	return c
}

// Add counts one refusal. It panics for a reason that is not one of Reasons: it would be lost.
func (c *Counter) Add(r Reason) { c.counts[r].Add(1) }

// Counts returns the number of refusals since the start for every one of Reasons.
func (c *Counter) Counts() map[Reason]uint64 {
	counts := make(map[Reason]uint64, len(c.counts))
	for r, n := range c.counts {
		counts[r] = n.Load()
	}
	return counts
}
