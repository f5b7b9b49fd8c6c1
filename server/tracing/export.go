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
	// complaintInterval is between two log lines about a collector that does not take spans. It may be away for a night.
	complaintInterval = time.Minute
	// maxComplaint bounds what a collector's answer adds to the log.
	maxComplaint = 300
)

// exporter sends batches and counts. Errors end here: they are logged, but rarely. The SDK calls it from one goroutine at a time.
type exporter struct {
	to       sdk.SpanExporter
	life     context.Context // ends when nothing more is to be sent
	log      *slog.Logger
	endpoint string
	sent     atomic.Int64 // spans that the collector has

	mu         sync.Mutex
	failing    bool
	complained time.Time // zero: never
	lost       int       // spans, since the last complaint
}

var _ sdk.SpanExporter = (*exporter)(nil)

// ExportSpans sends one batch. It never returns an error: the SDK would hand it to a handler of the whole process.
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
	e.sent.Add(int64(len(spans) - lost))
	e.note(err, lost, time.Now())
	return nil
}

// Shutdown is for the SDK.
func (e *exporter) Shutdown(ctx context.Context) error { return e.to.Shutdown(ctx) }

// note logs what came of a batch: the first failure, then one a minute at most, and the return.
func (e *exporter) note(err error, lost int, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		if e.failing {
			e.failing = false
			e.log.Info("traces are sent again", "endpoint", e.endpoint)
		}
		return
	}
	e.lost += lost
	e.failing = true
	if !e.complained.IsZero() && now.Sub(e.complained) < complaintInterval {
		return
	}
	text := err.Error()
	text = text[:min(len(text), maxComplaint)]
	e.log.Warn("traces are not sent", "endpoint", e.endpoint, "lost", e.lost, "error", text)
	e.complained, e.lost = now, 0
}
