package relay

import (
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/events/eventstest"
	"github.com/sockmux/sockmux/shared/wire"
)

// recorder keeps the events of a relay.
type recorder struct{ eventstest.Recorder }

// ends are the streams that have ended.
func (r *recorder) ends() []events.StreamEnded { return eventstest.Of[events.StreamEnded](&r.Recorder) }

// ended counts the streams of a relay of local that have ended, by code.
func ended(r *Relay) map[wire.Code]int {
	counts := make(map[wire.Code]int)
	for _, end := range r.events.(*recorder).ends() {
		counts[end.Code]++
	}
	return counts
}
