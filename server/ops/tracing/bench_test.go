package tracing_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/tracing"
)

// BenchmarkStream is what one stream pays: off, not sampled, and sampled with its usual steps.
func BenchmarkStream(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	client := events.Client{Session: "01020304", Identity: "alice", Method: "token", Policy: "default", Peer: "192.0.2.1:4711"}
	for name, sample := range map[string]float64{"off": -1, "unsampled": 0, "sampled": 1} {
		b.Run(name, func(b *testing.B) {
			var tracer *tracing.Tracer
			if sample >= 0 {
				var err error
				if tracer, err = tracing.New(tracing.Config{Endpoint: server.URL, Sample: sample, Logger: slog.New(slog.DiscardHandler)}); err != nil {
					b.Fatal(err)
				}
				defer tracer.Close(b.Context())
			}
			b.ReportAllocs()
			for b.Loop() {
				tracer.Record(events.StreamOpened{Stream: 1, Client: client, Request: request})
				now := time.Now()
				for _, step := range []events.Step{events.StepPolicy, events.StepResolve, events.StepPolicy} {
					tracer.Record(events.StreamStep{Stream: 1, Step: step, Began: now, Ended: now})
				}
				tracer.Record(events.StreamStep{Stream: 1, Step: events.StepDial, To: remote, Began: now, Ended: now})
				tracer.Record(events.StreamEnded{Stream: 1, Dialed: remote, Up: 1, Down: 2})
			}
		})
	}
}
