package tracing_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/tracing"
)

// BenchmarkStream is what one stream pays: off, not sampled, and sampled with its usual steps.
func BenchmarkStream(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	client := tracing.Client{Session: "01020304", Identity: "alice", Method: "token", Policy: "default", Peer: "192.0.2.1:4711"}
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
				s := tracer.Stream(nil, client, request)
				if s == nil {
					continue
				}
				for _, step := range []relay.Step{relay.StepPolicy, relay.StepResolve, relay.StepPolicy} {
					s.Step(step, netip.AddrPort{})(nil)
				}
				s.Step(relay.StepDial, remote)(nil)
				s.Served(relay.Record{Dialled: remote, Up: 1, Down: 2})
			}
		})
	}
}
