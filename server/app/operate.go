package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/ops/admin"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/metrics"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/server/ops/status"
	"github.com/sockmux/sockmux/server/ops/tracing"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/budget"
)

// operations are the sinks of all events. They take events from the start; serve shows them once
// there is something to ask.
type operations struct {
	events.Sinks
	log     *oplog.Sink
	metrics *metrics.Metrics
	status  *status.Status
	tracer  *tracing.Tracer // nil: nothing is traced
}

// newOperations returns the sinks of a server. tracer is nil or the caller's to close behind the
// last event.
func newOperations(tracer *tracing.Tracer, logger *slog.Logger) *operations {
	o := &operations{log: oplog.NewSink(logger), metrics: metrics.New(Version(), relay.Kinds()), status: status.New(), tracer: tracer}
	o.Sinks = events.Sinks{o.log, o.metrics, o.status}
	if tracer != nil {
		o.Sinks = append(o.Sinks, tracer)
	}
	return o
}

// close writes what the log has not told yet. No event may come any more.
func (o *operations) close() { o.log.Close() }

// parts are what the figures are asked of.
type parts struct {
	sessions *session.Registry
	streams  *relay.Relay
	names    *resolver.Resolver
	routes   *gateway.Gateway
	own      shares
	lost     func() oplog.Lost              // lines of the log
	expires  func() time.Time               // of the certificate; nil: there is none from files
	reloaded func() (ok bool, at time.Time) // nil: nothing is reloaded
	script   string                         // URL of sockmux.js
}

// serve shows the figures of p where the settings name an address. close ends that and waits.
func (o *operations) serve(ctx context.Context, settings *config.Config, p parts, logger *slog.Logger) (close func(), err error) {
	if settings.Admin == "" {
		return func() {}, nil
	}
	o.metrics.Watch(metrics.Sources{
		Sessions: p.sessions.Stats, Carriers: p.routes.Carriers, Active: p.streams.Active, Listeners: p.streams.Listeners, Bytes: p.streams.Bytes, Datagrams: p.streams.Datagrams,
		Most: p.sessions.Capacity, Memory: shareOf(p.own.memory), Targets: shareOf(p.own.sockets),
		Plain: p.own.plain.Stats, Strangers: p.own.strangers.Stats,
		RTTs:     func() []time.Duration { return roundTrips(p.sessions.List()) },
		Resolver: p.names.Stats, Log: p.lost, Traces: o.traces(), CertificateExpires: p.expires, Reloaded: p.reloaded,
	})
	o.status.Watch(status.Config{
		Version: Version(), ScriptURL: p.script, Streams: p.streams.Streams, Bytes: p.streams.Bytes,
		Sessions: func() (session.Stats, []session.Info) { return p.sessions.Stats(), p.sessions.List() },
		Carriers: p.routes.Carriers, Draining: p.routes.Draining,
	})
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Admin)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	logger.Info("listening for operators", "address", l.Addr().String())
	handler := admin.New(admin.Config{
		Metrics: o.metrics.Handler(), Status: o.status, Ready: p.routes.Ready, Address: settings.Admin, CommandLine: config.Masked(os.Args),
	})
	return serveAdmin(ctx, l, handler, o.status.Run, logger), nil
}

// shareOf is a budget for metrics.Sources.
func shareOf(b *budget.Budget) func() metrics.Share {
	return func() metrics.Share { return metrics.Share{Used: b.Used(), Max: b.Max()} }
}

// traces counts spans for metrics.Sources; nil where nothing is traced.
func (o *operations) traces() func() (sent, lost uint64) {
	if o.tracer == nil {
		return nil
	}
	return func() (sent, lost uint64) {
		stats := o.tracer.Stats()
		return stats.Sent, stats.Lost
	}
}

// serveAdmin serves and runs run beside it, until close is called.
func serveAdmin(ctx context.Context, l net.Listener, handler http.Handler, run func(context.Context), logger *slog.Logger) (close func()) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	server := newHTTPServer(life, handler, logger)
	var tasks sync.WaitGroup
	tasks.Go(func() { run(life) })
	tasks.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the listener of --admin has ended", "error", err)
		}
	})
	return func() {
		stop()
		_ = server.Close() // its errors are those of connections that are cut anyway
		tasks.Wait()
	}
}

func roundTrips(sessions []session.Info) (rtts []time.Duration) {
	for _, s := range sessions {
		if !s.Detached && s.RTT > 0 {
			rtts = append(rtts, s.RTT)
		}
	}
	return rtts
}
