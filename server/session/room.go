package session

import "sync"

// commonRoom is what all sessions together may take beyond what is each one's own: links that keep more than link.DefaultBound unacknowledged, and windows that have grown by more than
// windowBudget. Few pages at a time are so far away and so fast, so a hundred hostile ones cannot take a multiple of it.
const commonRoom = 256 << 20

// room is what is left of commonRoom. It is a buffer.Budget.
type room struct {
	mu   sync.Mutex
	left int
}

// Take implements buffer.Budget.
func (r *room) Take(bytes int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes > r.left {
		return false
	}
	r.left -= bytes
	return true
}

// Give implements buffer.Budget.
func (r *room) Give(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += bytes
}
