package tracing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// complaintInterval is between two log lines about a collector that does not take
	// spans. It may be away for a night.
	complaintInterval = time.Minute
	// maxComplaint bounds what a collector's answer adds to the log.
	maxComplaint = 300
)

// exporter sends batches and counts. Errors end here: they are logged, but rarely. The
// SDK calls it from one goroutine at a time.
type exporter struct {
	to       sdk.SpanExporter
	queue    *queue
	life     context.Context // ends when nothing more is to be sent
	log      *slog.Logger
	endpoint string

	sent atomic.Uint64 // spans that the collector has
	lost atomic.Uint64 // that were given to it, and it has not

	mu         sync.Mutex
	failing    bool      // the log says so
	complained time.Time // zero: never
	told       uint64    // lost spans that the log has
}

var _ sdk.SpanExporter = (*exporter)(nil)

// ExportSpans sends one batch. It never returns an error: the SDK would hand it to a
// handler of the whole process.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(e.life, cancel)
	defer stop()
	err := e.to.ExportSpans(ctx, spans)
	lost := len(spans)
	var some *rejected
	switch {
	case err == nil:
		lost = 0
	case errors.As(err, &some):
		lost = min(lost, int(some.spans))
	}
	e.queue.left(len(spans))
	e.sent.Add(uint64(len(spans) - lost))
	e.lost.Add(uint64(lost))
	e.note(err, time.Now())
	return nil
}

// Shutdown is for the SDK.
func (e *exporter) Shutdown(ctx context.Context) error { return e.to.Shutdown(ctx) }

// note logs what came of a batch: the first loss, then one line a minute at most, and
// that batches arrive again.
func (e *exporter) note(err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	lost := e.lost.Load() + e.queue.overflowed.Load()
	if err == nil && e.failing {
		e.log.Info("traces are sent again", "endpoint", e.endpoint, "lost", lost-e.told)
		e.failing, e.told = false, lost
		return
	}
	if lost == e.told || !e.complained.IsZero() && now.Sub(e.complained) < complaintInterval {
		return
	}
	text := "more spans than the collector takes in time"
	if err != nil {
		text = err.Error()
	}
	e.log.Warn("traces are not sent", "endpoint", e.endpoint, "lost", lost-e.told, "error", text[:min(len(text), maxComplaint)])
	e.failing, e.complained, e.told = err != nil, now, lost
}
