package tracing

import (
	"sync/atomic"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// queue bounds and counts what waits for the processor behind it, which would drop what
// is too much without a word.
type queue struct {
	sdk.SpanProcessor
	waiting    atomic.Int64 // those that are being sent included
	overflowed atomic.Uint64
}

// OnEnd hands a span on, or drops it if as many wait as may.
func (q *queue) OnEnd(s sdk.ReadOnlySpan) {
	if !s.SpanContext().IsSampled() {
		return
	}
	if q.waiting.Add(1) > queueSize {
		q.waiting.Add(-1)
		q.overflowed.Add(1)
		return
	}
	q.SpanProcessor.OnEnd(s)
}

// left notes that so many wait no more.
func (q *queue) left(spans int) { q.waiting.Add(-int64(spans)) }
