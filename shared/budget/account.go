package budget

import (
	"sync"
	"time"
)

// look is how often a holder that waits looks whether others have given memory back.
const look = 50 * time.Millisecond

// Account is one holder's part of a Budget. A nil Account has no bound. Any number of
// goroutines may use one.
type Account struct {
	budget *Budget
	freed  chan struct{} // capacity 1: memory was given back

	mu     sync.Mutex
	held   int64
	closed bool
}

// Hold adds n to what is held; a negative n gives back.
func (a *Account) Hold(n int) {
	if a == nil || n == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.held += int64(n)
	a.budget.add(int64(n))
	if n < 0 {
		select {
		case a.freed <- struct{}{}:
		default:
		}
	}
}

// Held returns how much is held.
func (a *Account) Held() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}

// Over reports whether the account holds more than is free, and more than
// the floor. A nil Account is never over.
func (a *Account) Over() bool {
	if a == nil {
		return false
	}
	held := a.Held()
	return held > a.budget.floor && held > a.budget.max-a.budget.used.Load()
}

// Wait blocks while the account is over. It returns false if end was closed first, or if
// the account has given nothing back for the time of patience and is still over.
// One goroutine at a time may call it.
func (a *Account) Wait(end <-chan struct{}, patience time.Duration) bool {
	if !a.Over() {
		return true
	}
	tick := time.NewTimer(look)
	defer tick.Stop()
	since := time.Now()
	for a.Over() {
		select {
		case <-end:
			return false
		case <-a.freed:
			since = time.Now()
		case <-tick.C:
			tick.Reset(look)
			if time.Since(since) >= patience {
				return false
			}
		}
	}
	return true
}

// Close gives back all that is held. Hold does nothing afterwards.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.budget.add(-a.held)
	a.held = 0
}
