// Package eventstest has a sink for tests that look at what was recorded.
//
//	recorder := new(eventstest.Recorder)
//	registry := session.New(session.Config{Events: recorder})
//	opened := eventstest.Of[events.SessionOpened](recorder)
package eventstest

import (
	"sync"

	"github.com/sockmux/sockmux/server/ops/events"
)

// Recorder is a Sink that keeps everything. Any number of goroutines may use one.
type Recorder struct {
	mu     sync.Mutex
	events []events.Event
}

// Record implements events.Sink.
func (r *Recorder) Record(e events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// All returns the events so far, in the order in which they came.
func (r *Recorder) All() []events.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[:len(r.events):len(r.events)]
}

// Of returns those of one type.
func Of[T events.Event](r *Recorder) (list []T) {
	for _, e := range r.All() {
		if one, ok := e.(T); ok {
			list = append(list, one)
		}
	}
	return list
}
