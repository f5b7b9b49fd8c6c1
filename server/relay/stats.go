package relay

import (
	"sync/atomic"

	"github.com/sockmux/sockmux/shared/wire"
)

// Stats counts since the relay was made. Bytes are counted when their stream ends.
type Stats struct {
	Active    int64                // streams that are being served
	Ended     map[wire.Code]uint64 // streams that have ended, by code; codes that did not occur are absent
	BytesUp   uint64               // given to targets
	BytesDown uint64               // given to pages
}

// counters is what Stats is made of. Codes beyond the table count as Internal.
type counters struct {
	active   atomic.Int64
	ended    []atomic.Uint64 // by code
	up, down atomic.Uint64
}

func newCounters() *counters { return &counters{ended: make([]atomic.Uint64, len(wire.Codes()))} }

func (c *counters) begin() { c.active.Add(1) }

func (c *counters) end(code wire.Code, up, down int64) {
	if !code.Known() {
		code = wire.Internal
	}
	c.ended[code].Add(1)
	c.up.Add(uint64(up))
	c.down.Add(uint64(down))
	c.active.Add(-1)
}

// Stats returns the counters of now. The numbers are not of one instant.
func (r *Relay) Stats() Stats {
	s := Stats{
		Active:    r.counters.active.Load(),
		Ended:     make(map[wire.Code]uint64),
		BytesUp:   r.counters.up.Load(),
		BytesDown: r.counters.down.Load(),
	}
	for code := range r.counters.ended {
		if n := r.counters.ended[code].Load(); n > 0 {
			s.Ended[wire.Code(code)] = n
		}
	}
	return s
}
