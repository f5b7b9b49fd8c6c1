package status

import (
	"context"
	"sync"
	"time"
)

// The history is ten minutes, in steps that a person sees move.
const (
	step  = 2 * time.Second
	steps = 300
)

// sample is what one step has brought.
type sample struct {
	Up, Down uint64 // bytes
	Streams  int    // at its end
	Refused  uint64
}

// totals are the counters that samples are differences of.
type totals struct{ up, down, refused uint64 }

// history is a ring of the last samples.
type history struct {
	mu   sync.Mutex
	ring [steps]sample
	next int // where the next sample goes
	have int // how many there are
	last totals
	at   time.Time // end of the newest
}

// add takes the totals of a moment.
func (h *history) add(now time.Time, t totals, streams int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring[h.next] = sample{Up: t.up - h.last.up, Down: t.down - h.last.down, Refused: t.refused - h.last.refused, Streams: streams}
	h.next = (h.next + 1) % steps
	h.have = min(h.have+1, steps)
	h.last, h.at = t, now
}

// list returns the samples, the oldest first, and the end of the newest.
func (h *history) list() ([]sample, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]sample, 0, h.have)
	for i := range h.have {
		list = append(list, h.ring[(h.next-h.have+i+steps)%steps])
	}
	return list, h.at
}

// Run fills the history until ctx ends.
func (s *Status) Run(ctx context.Context) {
	tick := time.NewTicker(step)
	defer tick.Stop()
	s.sample(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.sample(now)
		}
	}
}

func (s *Status) sample(now time.Time) {
	t := totals{refused: s.tally.total()}
	t.up, t.down = s.config.Bytes()
	_, streams := s.config.Streams(0)
	s.history.add(now, t, streams)
}
