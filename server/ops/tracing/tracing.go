// Package tracing sends what happens to sessions and streams to a collector of
// OpenTelemetry, as spans over OTLP and HTTP.
//
// A session is a span, in the caller's trace if the upgrade request has a traceparent
// (https://www.w3.org/TR/trace-context/). A stream is a trace of its own, whose span
// links to its session's: sessions live for hours, and a trace that holds all of their
// sockets is too large to look at.
//
// Spans wait in a queue that has a bound, and a goroutine of the SDK sends them; whatever
// the collector does, no stream waits for it. They hold what the access line holds: never
// a byte of what streams carry, and no credentials.
package tracing

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Bounds of what waits for the collector.
const (
	queueSize   = 2048             // spans, of about 1 KB each; those beyond are lost and counted
	batchSize   = 512              // spans of one request
	batchDelay  = 5 * time.Second  // that a span waits for others
	sendTimeout = 10 * time.Second // of one request with its retries: the OTLP specification's default
)

// spanLimits are OpenTelemetry's defaults, but for the length of values: a text that a
// page can make long is cut.
var spanLimits = sdk.SpanLimits{
	AttributeValueLengthLimit: 1024, AttributeCountLimit: 128, AttributePerEventCountLimit: 128, AttributePerLinkCountLimit: 128, EventCountLimit: 128, LinkCountLimit: 128,
}

// scope names the instrumentation (https://opentelemetry.io/docs/concepts/instrumentation-scope/).
const scope = "github.com/sockmux/sockmux/server/ops/tracing"

// Config says where spans go.
type Config struct {
	Endpoint string            // as ParseEndpoint takes it
	Headers  map[string]string // of every request to the collector; may be nil
	Sample   float64           // share of the traces that begin here, from 0 to 1; a caller's trace goes by the caller's decision
	Version  string            // of the build
	Logger   *slog.Logger      // never nil

	DefaultPolicy string // name of the policy of identities that name none
}

// Tracer is the events.Sink that makes spans. Any number of goroutines may use it. A nil
// Tracer makes none, at no cost.
type Tracer struct {
	provider      *sdk.TracerProvider
	tracer        trace.Tracer
	spans         *open
	defaultPolicy string
	exporter      *exporter
	queue         *queue
	client        *http.Client
	logger        *slog.Logger

	startEnding context.CancelFunc // batches are sent once and not again
	endLife     context.CancelFunc // requests that are under way end
}

// New begins to send. The caller closes the Tracer. Of the environment only
// OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES count, and the proxies that
// http.ProxyFromEnvironment knows. Logger gets what OpenTelemetry's libraries say, also
// to others of the same process.
func New(config Config) (*Tracer, error) {
	url, err := ParseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if _, err := resource.New(context.Background(), resource.WithFromEnv()); err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	described, err := resource.New(context.Background(),
		resource.WithAttributes(semconv.ServiceName("sockmux"), semconv.ServiceVersion(config.Version)),
		resource.WithHost(),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(),
	)
	if err != nil {
		return nil, fmt.Errorf("describing the process for traces: %w", err)
	}
	// Both are of the whole process. What the SDK itself has to say is rare, and belongs
	// into the same log.
	otel.SetLogger(logr.FromSlogHandler(config.Logger.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { config.Logger.Warn("OpenTelemetry", "error", err) }))
	t := &Tracer{
		client: &http.Client{
			Transport: http.DefaultTransport.(*http.Transport).Clone(),
			// A redirect would take the headers, with their secrets, to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		logger: config.Logger,
		spans:  newOpen(), defaultPolicy: config.DefaultPolicy,
	}
	life, endLife := context.WithCancel(context.Background())       // until Close, and its context
	ending, startEnding := context.WithCancel(context.Background()) // until Close
	t.endLife, t.startEnding = endLife, startEnding
	to := otlptrace.NewUnstarted(&upload{client: t.client, url: url, headers: config.Headers, ending: ending})
	t.queue = new(queue)
	t.exporter = &exporter{to: to, queue: t.queue, life: life, log: config.Logger, endpoint: url}
	t.queue.SpanProcessor = sdk.NewBatchSpanProcessor(t.exporter,
		sdk.WithMaxQueueSize(queueSize), sdk.WithMaxExportBatchSize(batchSize), sdk.WithBatchTimeout(batchDelay), sdk.WithExportTimeout(sendTimeout),
	)
	t.provider = sdk.NewTracerProvider(
		sdk.WithResource(described),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(config.Sample))),
		sdk.WithRawSpanLimits(spanLimits),
		sdk.WithSpanProcessor(t.queue),
	)
	t.tracer = t.provider.Tracer(scope, trace.WithInstrumentationVersion(config.Version), trace.WithSchemaURL(semconv.SchemaURL))
	return t, nil
}

// Close sends what waits, until ctx ends, and ends what New began. It is to be called
// when no span is left to end.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	t.startEnding()
	stop := context.AfterFunc(ctx, t.endLife)
	defer stop()
	// It waits for its goroutine, and that for nothing once life has ended.
	_ = t.provider.Shutdown(context.WithoutCancel(ctx)) // what went wrong is in the exporter's count
	t.endLife()
	t.client.CloseIdleConnections()
	if stats := t.Stats(); stats.Lost > 0 {
		t.logger.Warn("traces were lost", "spans", stats.Lost, "of", stats.Lost+stats.Sent)
	}
}

// Stats count spans since the start.
type Stats struct {
	Sent uint64 // the collector has them
	Lost uint64 // it does not, and will not
}

// Stats returns the present figures.
func (t *Tracer) Stats() Stats {
	return Stats{Sent: t.exporter.sent.Load(), Lost: t.exporter.lost.Load() + t.queue.overflowed.Load()}
}

// propagator reads what a caller says of its trace.
var propagator propagation.TraceContext
