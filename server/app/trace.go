package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/ops/tracing"
)

// flushTimeout is what the last spans may take at the end: streams have ended then, and
// the stop of the server waits.
const flushTimeout = 3 * time.Second

// openTracer returns nil where the settings name no collector.
func openTracer(settings *config.Config, logger *slog.Logger) (*tracing.Tracer, error) {
	if settings.Tracing.Endpoint == "" {
		return nil, nil
	}
	headers, err := settings.Tracing.Headers()
	if err != nil {
		return nil, err // of a file that has changed since it was checked
	}
	return tracing.New(tracing.Config{
		Endpoint: settings.Tracing.Endpoint, Headers: headers, Sample: settings.Tracing.Sample, Version: Version(), Logger: logger,
		DefaultPolicy: config.DefaultPolicy,
	})
}

// closeTracer sends the last spans, unless now ends first.
func closeTracer(now context.Context, tracer *tracing.Tracer) {
	ctx, cancel := context.WithTimeout(now, flushTimeout)
	defer cancel()
	tracer.Close(ctx)
}
