// Package metrics gives the server's figures to Prometheus.
//
// The registry is the package's own, so that no library adds to it unasked. Labels are
// codes, stages, directions and versions only: never a target, an identity or an address,
// of which there is no end.
package metrics

import (
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// namespace begins the name of every metric of ours.
const namespace = "sockmux"

// dialBuckets reach from a neighbor on the same machine to the longest --dial-timeout in use.
var dialBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// Sources are asked at every scrape. Each may be called at any time by any goroutine, and
// returns at once.
type Sources struct {
	Sessions func() session.Stats
	Most     func() (sessions, parked int) // that there may be
	Carriers func() int                    // WebSockets that are open
	// Memory and Targets are what sessions hold of the server's memory, in bytes, and of
	// its connections to targets.
	Memory, Targets func() Share
	// Plain and Strangers are the connections that are no WebSockets, and those without a session.
	Plain, Strangers func() places.Stats
	// Active counts streams that are served.
	Active func() int
	// Listeners counts listeners, and the connections that wait to be accepted.
	Listeners func() (listeners, waiting int)
	// Bytes counts what streams have carried: up to targets, down to pages.
	Bytes func() (up, down uint64)
	// Datagrams counts those of udp streams.
	Datagrams func() relay.Datagrams
	// RTTs are the smoothed round trips of the sessions that have a connection.
	RTTs func() []time.Duration
	// Resolver counts what became of names.
	Resolver func() resolver.Stats
	// Log counts lines of the log that were not written.
	Log func() oplog.Lost
	// Traces counts spans for a collector that it has got, and those that were lost; nil:
	// nothing is traced.
	Traces func() (sent, lost uint64)
	// CertificateExpires is when the server's certificate ends; nil: there is none from files.
	CertificateExpires func() time.Time
	// Reloaded says how the last reload of the configuration ended and when; nil: nothing
	// is reloaded.
	Reloaded func() (ok bool, at time.Time)
}

// Share is how much is used of what there may be.
type Share struct{ Used, Max int64 }

// Metrics is the registry, and the events.Sink of what is counted. All methods may be called at any
// time.
type Metrics struct {
	kinds    []wire.Kind
	registry *prometheus.Registry
	opens    *prometheus.CounterVec
	ended    *prometheus.CounterVec
	dials    *prometheus.HistogramVec
	failures *prometheus.CounterVec
	refusals *prometheus.CounterVec
	limits   *prometheus.CounterVec
}

var _ events.Sink = (*Metrics)(nil)

// New returns a registry in which nothing has happened. version is the build's, kinds are the
// kinds of streams that the server serves.
func New(version string, kinds []wire.Kind) *Metrics {
	m := &Metrics{
		kinds:    kinds,
		registry: prometheus.NewRegistry(),
		opens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "stream_opens_total", Help: "Streams that were answered, by their kind and the code of the answer.",
		}, []string{"kind", "code"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "streams_ended_total", Help: "Streams that have ended, by their kind and the code of their end.",
		}, []string{"kind", "code"}),
		dials: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "dial_duration_seconds", Help: "Time from a stream's request to its answer: policy, name and connection.", Buckets: dialBuckets,
		}, []string{"outcome"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "dial_failures_total", Help: "Addresses that could not be connected to, by code. A stream may try several.",
		}, []string{"code"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "refusals_total", Help: "What the server would not do, by stage (upgrade, session, stream) and reason.",
		}, []string{"stage", "reason"}),
		limits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "limit_refusals_total", Help: "What was refused, ended or cut short by a limit, by the limit's name.",
		}, []string{"limit"}),
	}
	// What has not happened yet is 0 and not absent: a rate of something absent is no rate.
	for _, code := range wire.Codes() {
		for _, kind := range kinds {
			m.opens.WithLabelValues(m.kindOf(kind), code.String())
			m.ended.WithLabelValues(m.kindOf(kind), code.String())
		}
	}
	for _, code := range dialCodes {
		m.failures.WithLabelValues(code.String())
	}
	for _, reason := range limit.Reasons() {
		m.limits.WithLabelValues(string(reason))
	}
	for _, outcome := range []string{outcomeOK, outcomeFailed} {
		m.dials.WithLabelValues(outcome)
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version(), "protocol": wire.Subprotocol},
	}, func() float64 { return 1 })
	m.registry.MustRegister(
		build, m.opens, m.ended, m.dials, m.failures, m.refusals, m.limits,
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

// dialCodes are the codes of most failed dials; others show up when they occur.
var dialCodes = []wire.Code{wire.Refused, wire.TimedOut, wire.HostUnreachable, wire.NetworkUnreachable, wire.Reset, wire.Limit}

// Watch adds figures that are asked for at each scrape. It must be called once at most.
func (m *Metrics) Watch(sources Sources) { m.registry.MustRegister(collector{sources}) }

// Record implements events.Sink.
func (m *Metrics) Record(e events.Event) {
	if r, ok := events.RefusingOf(e); ok {
		m.refusals.WithLabelValues(string(r.Refusal.Stage), r.Refusal.Reason).Inc()
		if r.Refusal.Limit != "" {
			m.limits.WithLabelValues(string(r.Refusal.Limit)).Inc()
		}
	}
	switch e := e.(type) {
	case events.StreamAnswered:
		m.answered(e.Request.Kind, e.Code, e.Took)
	case events.StreamStep:
		if e.Step == events.StepDial && e.Err != nil {
			m.failures.WithLabelValues(known(e.Code).String()).Inc()
		}
	case events.StreamEnded:
		m.ended.WithLabelValues(m.kindOf(e.Request.Kind), known(e.Code).String()).Inc()
		if e.Limit != "" {
			m.limits.WithLabelValues(string(e.Limit)).Inc()
		}
	case events.UpgradeRefused, events.HandshakeFailed, events.Refused, events.StreamOpened,
		events.SessionOpened, events.SessionDetached, events.SessionResumed, events.SessionEnded:
		// Refusals are counted above, and sessions by their registry.
	}
}

// known is a code that can be a label: a client can give any number.
func known(code wire.Code) wire.Code {
	if !code.Known() {
		return wire.Internal
	}
	return code
}

// kindOf returns the label of a kind. A client can give any number.
func (m *Metrics) kindOf(kind wire.Kind) string {
	if slices.Contains(m.kinds, kind) {
		return kind.String()
	}
	return "other"
}

func (m *Metrics) answered(kind wire.Kind, code wire.Code, took time.Duration) {
	m.opens.WithLabelValues(m.kindOf(kind), known(code).String()).Inc()
	if kind != wire.TCP {
		return // nothing is dialed
	}
	outcome := outcomeOK
	if code != wire.OK {
		outcome = outcomeFailed
	}
	m.dials.WithLabelValues(outcome).Observe(took.Seconds())
}

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry, EnableOpenMetrics: true})
}
