package main

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

	"github.com/sockmux/sockmux/server/admin"
	"github.com/sockmux/sockmux/server/auth"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/server/metrics"
	"github.com/sockmux/sockmux/server/observe"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/resolver"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/status"
	"github.com/sockmux/sockmux/server/tracing"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// operations are what operators see of the server. What happens is told to it from the start; serve shows it once there is something to ask.
type operations struct {
	observer *observe.Observer
	tracer   *tracing.Tracer // nil: nothing is traced

	mu      sync.Mutex
	metrics *metrics.Metrics // nil before serve
}

// newOperations returns operations that have seen nothing. tracer is nil or the caller's to close when nothing is observed any more.
func newOperations(tracer *tracing.Tracer) *operations {
	o := &operations{tracer: tracer}
	o.observer = observe.New(observe.Config{
		Opened: func(code wire.Code, took time.Duration) {
			if m := o.counted(); m != nil {
				m.Opened(code, took)
			}
		},
		Refused: func(stage observe.Stage, reason string) {
			if m := o.counted(); m != nil {
				m.Refused(stage, reason)
			}
		},
	})
	return o
}

func (o *operations) counted() *metrics.Metrics {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.metrics
}

// observe begins with a stream; the caller serves what it returns on terms with that watcher, which may be nil, and calls End.
func (o *operations) observe(s *mux.Stream, who session.Client) (*observe.Stream, relay.Watcher) {
	observed := o.observer.Observe(s, observe.Who{Session: who.Session, Identity: nameOf(who.Identity), Peer: who.Peer.Address})
	if o.tracer == nil {
		return observed, nil
	}
	return observed, o.traceStream(who, s.Request())
}

// nameOf is empty where nobody authenticates: a name that everybody has says nothing.
func nameOf(identity *auth.Identity) string {
	if identity == nil || identity.Method == auth.MethodNone {
		return ""
	}
	return identity.Name
}

// sessionRefused is for session.Config.
func (o *operations) sessionRefused(r session.Refusal) {
	stage := observe.StageSession
	if r.Target != "" {
		stage = observe.StageStream
	}
	o.observer.Refuse(observe.Refusal{
		Stage: stage, Reason: r.Reason, Target: r.Target, Text: r.Text,
		Who: observe.Who{Session: r.Session, Identity: r.Identity, Peer: r.Peer},
	})
	o.traceRefused(r)
}

// requestRefused is for gateway.Config.
func (o *operations) requestRefused(r *http.Request, refusal gateway.Refusal) {
	o.observer.Refuse(observe.Refusal{Stage: observe.StageUpgrade, Reason: string(refusal.Reason), Text: refusal.Text, Who: observe.Who{Peer: r.RemoteAddr}})
}

// parts are what the figures are asked of.
type parts struct {
	sessions *session.Registry
	streams  *relay.Relay
	names    *resolver.Resolver
	routes   *gateway.Gateway
	refusals *limit.Counter
	expires  func() time.Time               // of the certificate; nil: there is none from files
	reloaded func() (ok bool, at time.Time) // nil: nothing is reloaded
	script   string                         // URL of sockmux.js
}

// serve makes the figures of p and, where the settings name an address, listens there. close ends it and waits.
func (o *operations) serve(ctx context.Context, settings *config.Config, p parts, logger *slog.Logger) (close func(), err error) {
	m := metrics.New(buildVersion(), metrics.Sources{
		Sessions: func() metrics.Sessions {
			s := p.sessions.Stats()
			return metrics.Sessions{Live: s.Sessions, Parked: s.Parked, Opened: s.Opened, Resumed: s.Resumed}
		},
		Carriers: p.routes.Carriers,
		Ended:    func() map[wire.Code]uint64 { return p.streams.Stats().Ended },
		Active:   func() int { return int(p.streams.Stats().Active) },
		Bytes:    o.observer.Bytes,
		RTTs:     func() []time.Duration { return roundTrips(p.sessions.List()) },
		Resolver: p.names.Stats,
		Limits: func() map[string]uint64 {
			counts := make(map[string]uint64)
			for reason, n := range p.refusals.Counts() {
				counts[string(reason)] = n
			}
			return counts
		},
		Traces:             o.traces(),
		CertificateExpires: p.expires,
		Reloaded:           p.reloaded,
	})
	o.mu.Lock()
	o.metrics = m
	o.mu.Unlock()
	if settings.Admin == "" {
		return func() {}, nil
	}
	page := status.New(status.Config{
		Version: buildVersion(), ScriptURL: p.script, Observer: o.observer,
		Sessions: func() status.Sessions { return sessionsOf(p.sessions) },
		Carriers: p.routes.Carriers,
		Ended:    func() map[wire.Code]uint64 { return p.streams.Stats().Ended },
		Draining: p.routes.Draining,
	})
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.Admin)
	if err != nil {
		return nil, fmt.Errorf("--admin: %w", err)
	}
	logger.Info("listening for operators", "address", l.Addr().String())
	return serveAdmin(ctx, l, admin.New(admin.Config{
		Metrics: m.Handler(), Status: page, Ready: p.routes.Ready, Address: settings.Admin, CommandLine: config.Masked(os.Args),
	}), page.Run, logger), nil
}

// serveAdmin serves and runs run beside it, until close is called.
func serveAdmin(ctx context.Context, l net.Listener, handler http.Handler, run func(context.Context), logger *slog.Logger) (close func()) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	server := newServer(life, handler, logger)
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
		if !s.Parked && s.RTT > 0 {
			rtts = append(rtts, s.RTT)
		}
	}
	return rtts
}

func sessionsOf(registry *session.Registry) status.Sessions {
	stats := registry.Stats()
	out := status.Sessions{Opened: stats.Opened, Resumed: stats.Resumed}
	for _, s := range registry.List() {
		out.List = append(out.List, status.Session{
			ID: s.ID, Identity: s.Identity, Peer: s.Peer, Agent: s.Agent, Began: s.Began, Parked: s.Parked, Streams: s.Streams, RTT: s.RTT,
		})
	}
	return out
}
