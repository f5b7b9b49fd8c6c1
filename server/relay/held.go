package relay

import (
	"sync"

	"github.com/sockmux/sockmux/shared/budget"
)

// held is what a stream holds of its session's memory beside what the session counts for every
// stream. Any number of goroutines may use it.
type held struct {
	account *budget.Account // nil: nothing is counted

	mu    sync.Mutex
	bytes int
	over  bool
}

// add adds n bytes, or gives them back if n is negative. It does nothing behind end.
func (h *held) add(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over {
		return
	}
	h.bytes += n
	h.account.Hold(n)
}

// end gives everything back.
func (h *held) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.over = true
		h.account.Hold(-h.bytes)
	}
}
