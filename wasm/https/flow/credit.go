package flow

import (
	"os"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/deadline"
)

// Credit counts the bytes that may go.
type Credit struct {
	mu       sync.Mutex
	change   sync.Cond
	left     int
	err      error
	deadline deadline.Deadline
}

// NewCredit returns a credit of so many bytes.
func NewCredit(bytes int) *Credit {
	c := &Credit{left: bytes}
	c.change.L = &c.mu
	return c
}

// Take waits until at least one byte may go. It returns how many may, at most want.
func (c *Credit) Take(want int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.err != nil:
			return 0, c.err
		case c.deadline.Passed():
			return 0, os.ErrDeadlineExceeded
		case c.left > 0:
			n := min(want, c.left)
			c.left -= n
			return n, nil
		}
		c.change.Wait()
	}
}

// Give allows more bytes.
func (c *Credit) Give(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left += n
	c.change.Broadcast()
}

// Fail lets Take return err from now on. The first error counts.
func (c *Credit) Fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.change.Broadcast()
}

// SetDeadline sets the time from which on Take fails with os.ErrDeadlineExceeded.
func (c *Credit) SetDeadline(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline.Set(t, &c.mu, c.change.Broadcast)
	c.change.Broadcast()
}
