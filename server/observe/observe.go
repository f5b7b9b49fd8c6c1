// Package observe sees streams as they are served: which there are, how far they have come, and what was refused. Metrics and the status page read it.
//
// It stands between a session and the relay as a relay.Stream that counts what passes through. It never sees a byte of what streams carry, only how many.
package observe

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/shared/wire"
)

// recentRefusals is how many refusals are kept for people to look at.
const recentRefusals = 50

// Stage says what was refused. There are few, so that it can be a label of a metric.
type Stage string

// The stages.
const (
	StageUpgrade Stage = "upgrade" // an HTTP request that was to become a WebSocket
	StageSession Stage = "session" // a WebSocket whose hello was refused
	StageStream  Stage = "stream"  // one socket
)

// Who says whose stream it is. It is for people: nothing of it becomes a label of a metric.
type Who struct {
	Session  string // as logs name it
	Identity string // empty: nobody authenticates
	Peer     string // address of the client
}

// Refusal is one thing that was refused.
type Refusal struct {
	Time   time.Time
	Stage  Stage
	Reason string // a name of wire.Codes or of a status of the gateway
	Who    Who
	Target string // of a stream: HOST:PORT as it was asked for; else empty
	Text   string // for people
}

// Reason is a kind of refusal, which counters are kept for.
type Reason struct {
	Stage  Stage
	Reason string
}

// Config says who is told. Both functions may be nil; they are called by the goroutines of the streams and must not block.
type Config struct {
	Opened  func(code wire.Code, took time.Duration) // a stream was answered, well or badly, so long after its request
	Refused func(Stage, string)                      // likewise for everything that was refused, streams included
}

// Observer holds what is seen. All methods may be called at any time.
type Observer struct {
	config   Config
	up, down atomic.Uint64

	mu       sync.Mutex
	last     uint64
	streams  map[uint64]*Stream
	refused  map[Reason]uint64
	refusals []Refusal // the newest at the end
}

// New returns an observer that has seen nothing.
func New(config Config) *Observer {
	return &Observer{config: config, streams: make(map[uint64]*Stream), refused: make(map[Reason]uint64)}
}

// Observe begins with a stream. The caller serves what is returned in its place, and calls End when it has ended.
func (o *Observer) Observe(s relay.Stream, who Who) *Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	observed := &Stream{Stream: s, observer: o, number: o.last, who: who, target: s.Request().Target(), began: time.Now()}
	o.streams[o.last] = observed
	return observed
}

// Refuse notes a refusal that no stream of this package has seen. Reason must be one of few words.
func (o *Observer) Refuse(r Refusal) {
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	o.mu.Lock()
	o.refused[Reason{r.Stage, r.Reason}]++
	if len(o.refusals) == recentRefusals {
		o.refusals = slices.Delete(o.refusals, 0, 1)
	}
	o.refusals = append(o.refusals, r)
	o.mu.Unlock()
	if o.config.Refused != nil {
		o.config.Refused(r.Stage, r.Reason)
	}
}

// Refused counts refusals since the start.
func (o *Observer) Refused() map[Reason]uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts := make(map[Reason]uint64, len(o.refused))
	for reason, n := range o.refused {
		counts[reason] = n
	}
	return counts
}

// Refusals returns the last ones, newest first.
func (o *Observer) Refusals() []Refusal {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := slices.Clone(o.refusals)
	slices.Reverse(list)
	return list
}

// Bytes counts what streams have carried since the start, that of the present ones included: up to targets, down to pages.
func (o *Observer) Bytes() (up, down uint64) { return o.up.Load(), o.down.Load() }

// Live returns the present streams, the oldest first, and how many there are in all; the list has at most so many.
func (o *Observer) Live(most int) (list []Live, all int) {
	o.mu.Lock()
	streams := make([]*Stream, 0, len(o.streams))
	for _, s := range o.streams {
		streams = append(streams, s)
	}
	o.mu.Unlock()
	slices.SortFunc(streams, func(a, b *Stream) int { return int(a.number) - int(b.number) })
	for _, s := range streams[:min(most, len(streams))] {
		list = append(list, s.live())
	}
	return list, len(streams)
}
