// Package metrics gives the server's figures to Prometheus.
//
// The registry is the package's own, so that no library adds to it unasked. Labels are codes, stages, directions and versions only: never a target, an
// identity or an address, of which there is no end.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sockmux/sockmux/server/observe"
	"github.com/sockmux/sockmux/server/resolver"
	"github.com/sockmux/sockmux/shared/wire"
)

// namespace begins the name of every metric of ours.
const namespace = "sockmux"

// dialBuckets reach from a neighbour on the same machine to the longest --dial-timeout in use.
var dialBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// Sources are asked at every scrape. Each may be called at any time by any goroutine, and returns at once.
type Sources struct {
	Sessions func() Sessions
	Carriers func() int // WebSockets that are open
	// Ended counts streams that have ended, by code.
	Ended func() map[wire.Code]uint64
	// Active counts streams that are served.
	Active func() int
	// Bytes counts what streams have carried: up to targets, down to pages.
	Bytes func() (up, down uint64)
	// RTTs are the smoothed round trips of the sessions that have a connection.
	RTTs func() []time.Duration
	// Limits counts what was refused or ended by a limit, by the limit's name; those that have not occurred are there with 0.
	Limits func() map[string]uint64
	// Resolver counts what became of names.
	Resolver func() resolver.Stats
	// Traces counts spans for a collector that it has got, and those that were lost; nil: nothing is traced.
	Traces func() (sent, lost uint64)
	// CertificateExpires is when the server's certificate ends; nil: there is none from files.
	CertificateExpires func() time.Time
	// Reloaded says how the last reload of the configuration ended and when; nil: nothing is reloaded.
	Reloaded func() (ok bool, at time.Time)
}

// Sessions are the figures of the sessions.
type Sessions struct {
	Live    int // parked ones included
	Parked  int
	Opened  uint64 // since the start
	Resumed uint64 // likewise: how often one has come back over a new connection
}

// Metrics is the registry with the counters that are told rather than asked. All methods may be called at any time.
type Metrics struct {
	registry *prometheus.Registry
	opens    *prometheus.CounterVec
	dials    *prometheus.HistogramVec
	refusals *prometheus.CounterVec
}

// New returns a registry. version is the build's.
func New(version string, sources Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		opens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "stream_opens_total", Help: "Streams that were answered, by the code of the answer.",
		}, []string{"code"}),
		dials: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "dial_duration_seconds", Help: "Time from a stream's request to its answer: policy, name and connection.", Buckets: dialBuckets,
		}, []string{"outcome"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "refusals_total", Help: "What the server would not do, by stage (upgrade, session, stream) and reason.",
		}, []string{"stage", "reason"}),
	}
	// What has not happened yet is 0 and not absent: a rate of something absent is no rate.
	for _, code := range wire.Codes() {
		m.opens.WithLabelValues(code.String())
	}
	for _, outcome := range []string{outcomeOK, outcomeFailed} {
		m.dials.WithLabelValues(outcome)
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version(), "protocol": wire.Subprotocol},
	}, func() float64 { return 1 })
	m.registry.MustRegister(
		build, m.opens, m.dials, m.refusals, collector{sources},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// The outcomes of a dial.
const (
	outcomeOK     = "ok"
	outcomeFailed = "failed"
)

// Opened counts the answer to a stream; observe.Config calls it.
func (m *Metrics) Opened(code wire.Code, took time.Duration) {
	if !code.Known() {
		code = wire.Internal
	}
	m.opens.WithLabelValues(code.String()).Inc()
	outcome := outcomeOK
	if code != wire.OK {
		outcome = outcomeFailed
	}
	m.dials.WithLabelValues(outcome).Observe(took.Seconds())
}

// Refused counts a refusal; observe.Config calls it. There are few stages and reasons.
func (m *Metrics) Refused(stage observe.Stage, reason string) {
	m.refusals.WithLabelValues(string(stage), reason).Inc()
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}
