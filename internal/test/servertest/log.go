// Package servertest has what tests of running servers have in common. Only tests import it.
package servertest

import (
	"strings"
	"sync"
)

// Log collects what a server writes while its test reads it. The zero value is empty; any
// number of goroutines may use it.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
