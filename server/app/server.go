package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/sockmux/sockmux/server/app/demo"
	"github.com/sockmux/sockmux/server/app/memory"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/fronts/posix"
	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/gateway/assets"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/interfaces"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session"
)

// server is what stands behind the listeners. Its parts are opened in the order of open, and
// closed in the other.
type server struct {
	settings *config.Config
	logger   *slog.Logger
	stop     stops
	own      shares

	certificates *listener.Certificates // nil: none from files
	credentials  *config.Credentials
	names        *resolver.Resolver
	targets      resolver.Source // names, behind those of the demo services
	services     []gateway.Service
	ops          *operations
	policies     *policies
	streams      *relay.Relay
	sessions     *session.Registry
	routes       *gateway.Gateway

	closers []func() error // of what is open
}

// newServer returns a server that has opened nothing.
func newServer(settings *config.Config, stop stops, logger *slog.Logger) *server {
	for _, warning := range settings.Warnings {
		logger.Warn(warning)
	}
	warnOfDescriptors(settings.MaxSessions, logger)
	own := divide(settings)
	warnOfMemory(settings.MaxSessions, own.memory.Max(), logger)
	memory.Bound(own.memory.Max())
	return &server{settings: settings, logger: logger, stop: stop, own: own}
}

// open opens everything but the listeners. The caller calls close, also behind an error.
func (s *server) open() error {
	for _, step := range []func() error{s.openAccess, s.openTargets, s.openSinks, s.openStreams, s.openRoutes} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// close closes what open has opened, the last first.
func (s *server) close() error {
	var all []error
	for _, closer := range slices.Backward(s.closers) {
		all = append(all, closer())
	}
	return errors.Join(all...)
}

func (s *server) onClose(closer func()) {
	s.closers = append(s.closers, func() error {
		closer()
		return nil
	})
}

// openAccess reads what decides about who may connect.
func (s *server) openAccess() (err error) {
	if s.certificates, err = openCertificates(s.settings, s.logger); err != nil {
		return err
	}
	var mistakes []*config.Error
	s.credentials, mistakes = s.settings.Open(s.settings.TrustedProxies)
	if len(mistakes) > 0 {
		return mistakes[0] // of a file that has changed since it was checked
	}
	return nil
}

// demoHost is where the demo services listen.
const demoHost = "127.0.0.1"

// openTargets makes the names and the policies, with those of the demo services.
func (s *server) openTargets() (err error) {
	if s.names, err = s.settings.NewResolver(s.own.plan.Lookups); err != nil {
		return err
	}
	s.onClose(s.names.Close)
	s.targets = s.names
	var last []policy.Rule
	if s.settings.Demo {
		services, err := demo.Start(demoHost)
		if err != nil {
			return fmt.Errorf("demo services: %w", err)
		}
		s.onClose(services.Close)
		for _, one := range services.Services() {
			s.services = append(s.services, gateway.Service(one))
		}
		s.targets = services.Resolver(s.names)
		last = services.Rules() // behind the operator's own, so that --deny has the last word
	}
	s.policies = newPolicies(s.settings, last, interfaces.Own(s.logger))
	return nil
}

// openSinks opens what takes events. It is closed behind the last session.
func (s *server) openSinks() error {
	tracer, err := openTracer(s.settings, s.logger)
	if err != nil {
		return err
	}
	s.onClose(func() { closeTracer(s.stop.now, tracer) })
	s.ops = newOperations(tracer, s.logger)
	s.onClose(s.ops.close)
	return nil
}

// openStreams makes the sessions, and what serves their streams. openRoutes closes both.
func (s *server) openStreams() error {
	dialer, err := s.settings.NewDialer()
	if err != nil {
		return err
	}
	s.streams = relay.New(relay.Config{
		Policy:   closed, // every stream has terms of its own
		Resolver: s.targets,
		Dialer:   dialer,
		Events:   s.ops,
	})
	lookups := resolver.NewFair(s.targets, s.own.plan.Lookups)
	s.sessions = session.New(session.Config{
		Handle: func(ctx context.Context, stream session.Stream, who session.Client) {
			terms := s.policies.terms(who)
			terms.Resolver = lookups.For(who.Event.Session)
			s.streams.Start(ctx, stream, terms, stream.Detach())
		},
		Kinds:         relay.Kinds(),
		Authenticator: s.credentials.Authenticator,
		Trusts:        trusts(s.certificates),
		Limits:        s.policies.limits,
		Events:        s.ops,
		Memory:        s.own.memory,
		Sockets:       s.own.sockets,
		MaxSessions:   s.settings.MaxSessions,
		MaxDetached:   s.settings.Detached(),
		Bound:         s.settings.MaxUnacknowledged,
		Handshake:     s.settings.HandshakeTimeout,
		Grace:         s.settings.Grace,
		Keepalive:     s.settings.Keepalive,
		Agent:         agent(),
	})
	return nil
}

// openRoutes makes the handler of the listener that browsers use.
func (s *server) openRoutes() (err error) {
	files := assets.Embedded()
	if s.settings.AssetsDir != "" {
		files = assets.Dir(s.settings.AssetsDir)
	}
	if _, err := files.Manifest(); err != nil {
		s.logger.Warn("no script to serve", "error", err)
	}
	var plain func(context.Context, yamux.Transport, session.Peer, string) error
	if s.settings.Yamux {
		plain = yamux.New(s.sessions).Serve
	}
	var programs func(context.Context, posix.Transport, session.Peer, string) error
	if s.settings.Posix {
		programs = posix.New(s.sessions).Serve
	}
	s.routes, err = gateway.New(gateway.Config{
		Prefix:       s.settings.Prefix,
		Serve:        s.sessions.Serve,
		Yamux:        plain,
		Posix:        programs,
		AllowOrigins: s.settings.AllowOrigins,
		Strangers:    s.own.strangers,
		Assets:       files,
		Fresh:        s.settings.AssetsDir != "",
		Demo:         s.services,
		WebR:         s.settings.WebR,
		Events:       s.ops,
		Logger:       s.logger,
	})
	if err != nil {
		s.sessions.Close()
		return err
	}
	s.closers = append(s.closers, func() error {
		_ = s.streams.Close(endedContext) // cuts what is left
		s.sessions.Close()
		return s.routes.Close() // waits for the WebSockets, which the sessions have closed
	})
	return nil
}

// reloader returns what puts changed settings into force.
func (s *server) reloader(load func() (*config.Config, error)) *reloader {
	return &reloader{
		load: load, started: s.settings, credentials: s.credentials, policies: s.policies, sessions: s.sessions,
		routes: s.routes, certificates: s.certificates, logger: s.logger,
	}
}

// trusts is what session.Config wants to know of certificates, which may be nil.
func trusts(certificates *listener.Certificates) func(*tls.ConnectionState) error {
	if certificates == nil {
		return nil
	}
	return certificates.Trusts
}

// agent is what clients are told; the protocol limits its length (docs/PROTOCOL.md, 3.1).
func agent() string {
	const most = 128
	text := "sockmux/" + Version()
	return text[:min(most, len(text))]
}
