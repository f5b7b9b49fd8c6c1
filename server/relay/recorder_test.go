package relay

import (
	"sync"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/wire"
)

// recorder is a Sink that keeps everything.
type recorder struct {
	mu     sync.Mutex
	events []events.Event
}

func (r *recorder) Record(e events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *recorder) all() []events.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[:len(r.events):len(r.events)]
}

// ends are the streams that have ended.
func (r *recorder) ends() (list []events.StreamEnded) {
	for _, e := range r.all() {
		if end, ok := e.(events.StreamEnded); ok {
			list = append(list, end)
		}
	}
	return list
}

// ended counts the streams of a relay of local that have ended, by code.
func ended(r *Relay) map[wire.Code]int {
	counts := make(map[wire.Code]int)
	for _, end := range r.events.(*recorder).ends() {
		counts[end.Code]++
	}
	return counts
}
