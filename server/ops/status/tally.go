package status

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/wire"
)

// recentRefusals is how many refusals are kept for people to look at.
const recentRefusals = 50

// reason is a kind of refusal.
type reason struct {
	stage  events.Stage
	reason string
}

// recent is a refusal of the last time.
type recent struct {
	at time.Time
	events.Refusing
}

// tally counts events since the start.
type tally struct {
	mu       sync.Mutex
	ended    map[wire.Code]uint64
	refused  map[reason]uint64
	refusals []recent // the newest at the end
}

func newTally() tally {
	return tally{ended: make(map[wire.Code]uint64), refused: make(map[reason]uint64)}
}

// Record implements events.Sink.
func (s *Status) Record(e events.Event) {
	if end, ok := e.(events.StreamEnded); ok {
		s.tally.end(end.Code)
	}
	if refusing, ok := events.RefusingOf(e); ok {
		s.tally.refuse(recent{time.Now(), refusing})
	}
}

func (t *tally) end(code wire.Code) {
	if !code.Known() {
		code = wire.Internal
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended[code]++
}

func (t *tally) refuse(r recent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[reason{r.Refusal.Stage, r.Refusal.Reason}]++
	if len(t.refusals) == recentRefusals {
		t.refusals = slices.Delete(t.refusals, 0, 1)
	}
	t.refusals = append(t.refusals, r)
}

// counts returns copies of what was counted, and the last refusals, the newest first.
func (t *tally) counts() (ended map[wire.Code]uint64, refused map[reason]uint64, last []recent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	last = slices.Clone(t.refusals)
	slices.Reverse(last)
	return maps.Clone(t.ended), maps.Clone(t.refused), last
}

// total returns the number of refusals.
func (t *tally) total() (n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, count := range t.refused {
		n += count
	}
	return n
}
