package oplog

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	// refusalWindow is the time in which refusals of one kind and network share a line.
	refusalWindow = time.Second
	// maxRefusalLines is how many kinds have lines of their own in a window. Kinds beyond, such as
	// those of a client with many networks, are counted together.
	maxRefusalLines = 100
)

// kind is what refusals have in common that share a line.
type kind struct{ message, reason, network string }

// refusals decides which lines of refusals are written: in each window the first of a kind in full,
// and at its end one line with the number of the others. A stranger cannot fill a disk by that.
type refusals struct {
	log *slog.Logger

	mu     sync.Mutex
	window *time.Timer    // runs out when the window ends; nil: there is none
	more   map[kind]int   // refusals of the window that have no line
	others int            // likewise, of kinds beyond maxRefusalLines
	ends   sync.WaitGroup // of windows
}

// first reports whether the refusal's line is to be written.
func (r *refusals) first(k kind) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.window == nil {
		r.more = make(map[kind]int)
		r.ends.Add(1)
		r.window = time.AfterFunc(refusalWindow, func() {
			defer r.ends.Done()
			r.end()
		})
	}
	if n, again := r.more[k]; again {
		r.more[k] = n + 1
		return false
	}
	if len(r.more) == maxRefusalLines {
		r.others++
		return false
	}
	r.more[k] = 0
	return true
}

// end ends the window and writes what it has counted.
func (r *refusals) end() {
	r.mu.Lock()
	more, others := r.more, r.others
	r.window, r.more, r.others = nil, nil, 0
	r.mu.Unlock()
	for _, k := range sorted(more) {
		r.log.LogAttrs(context.Background(), slog.LevelWarn, "more refusals", slog.String("of", k.message),
			slog.String("reason", k.reason), slog.String("network", k.network), slog.Int("count", more[k]))
	}
	if others > 0 {
		r.log.LogAttrs(context.Background(), slog.LevelWarn, "more refusals", slog.String("of", "other networks and kinds"), slog.Int("count", others))
	}
}

// sorted returns the kinds that have more refusals than one, those with most first.
func sorted(more map[kind]int) (kinds []kind) {
	for k, n := range more {
		if n > 0 {
			kinds = append(kinds, k)
		}
	}
	slices.SortFunc(kinds, func(a, b kind) int {
		return cmp.Or(cmp.Compare(more[b], more[a]), cmp.Compare(a.network, b.network), cmp.Compare(a.message, b.message), cmp.Compare(a.reason, b.reason))
	})
	return kinds
}

// close ends the window now, if there is one.
func (r *refusals) close() {
	r.mu.Lock()
	window := r.window
	r.mu.Unlock()
	if window != nil && window.Stop() {
		r.end()
		r.ends.Done()
	}
	r.ends.Wait()
}
