// Package app assembles the server of its packages and runs it, from the first listener to the
// end of the drain.
//
//	err := app.Run(ctx, app.Config{Settings: settings, Load: load, Kill: kill, Stdout: os.Stdout, Stderr: os.Stderr})
package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/sockmux/sockmux/server/app/demo"
	"github.com/sockmux/sockmux/server/app/memory"
	"github.com/sockmux/sockmux/server/app/sdnotify"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/gateway/assets"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/interfaces"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/mux"
)

const (
	// shutdownTimeout is for HTTP answers that are under way when the tunnels have ended.
	shutdownTimeout = 5 * time.Second
)

// Config is what a server is run with. All fields are required.
type Config struct {
	Settings *config.Config
	Load     func() (*config.Config, error) // reads the settings anew, for a reload
	Kill     func()                         // ends the process: the second signal has not led to an end in time
	Stdout   io.Writer                      // gets one line: the version and the server's URL
	Stderr   io.Writer                      // gets the log
}

// Run runs the server until ctx ends or a signal comes, then drains. It returns when everything
// that it started has ended. The error says what kept it from serving; the log has it.
func Run(ctx context.Context, c Config) error {
	log := openLog(c.Settings, c.Stderr)
	err := serve(ctx, c, log)
	log.close(err)
	return err
}

func serve(ctx context.Context, c Config, log serverLog) (err error) {
	settings, logger := c.Settings, log.Logger
	stop, release := watch(ctx, endTime, c.Kill)
	defer release()
	for _, warning := range settings.Warnings {
		logger.Warn(warning)
	}
	warnOfDescriptors(settings.MaxSessions, logger)

	own := divide(settings)
	warnOfMemory(settings.MaxSessions, own.memory.Max(), logger)
	memory.Bound(own.memory.Max())
	var last []policy.Rule
	names, err := settings.NewResolver(own.plan.Lookups)
	if err != nil {
		return err
	}
	defer names.Close()
	dialer, err := settings.NewDialer()
	if err != nil {
		return err
	}
	certificates, err := openCertificates(settings, logger)
	if err != nil {
		return err
	}
	credentials, mistakes := settings.Open(settings.TrustedProxies)
	if len(mistakes) > 0 {
		return mistakes[0] // of a file that has changed since it was checked
	}
	targets := resolver.Source(names)
	var services []gateway.Service
	if settings.Demo {
		demonstration, err := demo.Start(demoHost)
		if err != nil {
			return fmt.Errorf("demo services: %w", err)
		}
		defer demonstration.Close()
		services = listed(demonstration.Services())
		targets = demonstration.Resolver(names)
		// Behind the operator's own, so that --deny has the last word here too.
		last = demonstration.Rules()
	}
	tracer, err := openTracer(settings, logger)
	if err != nil {
		return err
	}
	defer func() { closeTracer(stop.now, tracer) }() // behind the last session
	ops := newOperations(tracer, logger)
	defer ops.close() // behind the last session
	lookups := resolver.NewFair(targets, own.plan.Lookups)
	standings := newPolicies(settings, last, interfaces.Own(logger))
	streams := relay.New(relay.Config{
		Policy:   closed, // every stream has terms of its own
		Resolver: targets,
		Dialer:   dialer,
		Events:   ops,
	})
	sessions := session.New(session.Config{
		Handle: func(ctx context.Context, s *mux.Stream, who session.Client) {
			terms := standings.terms(who)
			terms.Resolver = lookups.For(who.Event.Session)
			streams.Start(ctx, s, terms, s.Detach())
		},
		Authenticator: credentials.Authenticator,
		Trusts:        trusts(certificates),
		Limits:        standings.limits,
		Events:        ops,
		Memory:        own.memory,
		Sockets:       own.sockets,
		MaxSessions:   settings.MaxSessions,
		MaxParked:     settings.Parked(),
		Bound:         settings.MaxUnacknowledged,
		Handshake:     settings.HandshakeTimeout,
		Grace:         settings.Grace,
		Keepalive:     settings.Keepalive,
		Agent:         agent(),
	})
	files := assets.Embedded()
	if settings.AssetsDir != "" {
		files = assets.Dir(settings.AssetsDir)
	}
	if _, err := files.Manifest(); err != nil {
		logger.Warn("no script to serve", "error", err)
	}
	routes, err := gateway.New(gateway.Config{
		Prefix:       settings.Prefix,
		Serve:        sessions.Serve,
		AllowOrigins: settings.AllowOrigins,
		Strangers:    own.strangers,
		Assets:       files,
		Fresh:        settings.AssetsDir != "",
		Demo:         services,
		WebR:         settings.WebR,
		Events:       ops,
		Logger:       logger,
	})
	if err != nil {
		sessions.Close()
		return err
	}
	defer func() {
		_ = streams.Close(endedContext) // cuts what is left
		sessions.Close()
		err = errors.Join(err, routes.Close())
	}()

	// Requests outlive ctx: it only asks for the end.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	arrivals, err := openFront(ctx, settings, certificates, sessions.Review, own, logger)
	if err != nil {
		return err
	}
	defer arrivals.close()
	changes := &reloader{
		load: c.Load, started: settings, credentials: credentials, policies: standings, sessions: sessions, routes: routes, certificates: arrivals.certificates, logger: logger,
	}
	defer changes.watch()()
	closeAdmin, err := ops.serve(ctx, settings, parts{
		sessions: sessions, streams: streams, names: names, routes: routes, own: own,
		lost: log.queue.Lost, expires: arrivals.expires(), reloaded: changes.reloaded, script: arrivals.base + settings.Prefix + "sockmux.js",
	}, logger)
	if err != nil {
		return err
	}
	defer closeAdmin()
	server := newServer(base, settings.TrustedProxies.Handler(routes), logger)
	server.ReadHeaderTimeout = settings.HandshakeTimeout
	server.ConnState = own.connections.State
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(arrivals) }() // both ways out below receive from it
	fmt.Fprintf(c.Stdout, "sockmux %s: %s\n", Version(), arrivals.base+settings.Prefix)
	logger.Info("listening", "address", arrivals.Addr().String(), "version", Version())
	tell(logger, sdnotify.Ready)

	select {
	case err := <-failed:
		return err
	case <-stop.drain.Done():
	}
	tell(logger, sdnotify.Stopping)
	if err := delayDrain(stop.now, settings.DrainDelay, routes, failed, logger); err != nil {
		return err
	}
	drain(stop.now, settings.DrainTimeout, sessions, streams, logger)
	shutdown(stop.now, server)
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	logger.Info("ended")
	return nil
}

// trusts is what session.Config wants to know of certificates, which may be nil.
func trusts(certificates *listener.Certificates) func(*tls.ConnectionState) error {
	if certificates == nil {
		return nil
	}
	return certificates.Trusts
}

// delayDrain makes /readyz say 503 and waits, so that load balancers send new clients
// elsewhere before any of them is refused. It returns an error if the listener failed
// meanwhile. The end of now ends the wait.
func delayDrain(now context.Context, delay time.Duration, routes *gateway.Gateway, failed <-chan error, logger *slog.Logger) error {
	routes.Drain()
	if delay == 0 {
		return nil
	}
	logger.Info("not ready: the drain begins later", "delay", delay.String())
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-now.Done():
	case err := <-failed:
		return err
	}
	return nil
}

// drain lets streams end on their own for a while. All that time the port stays open, so that /readyz can say why nothing new is taken.
func drain(now context.Context, timeout time.Duration, sessions *session.Registry, streams *relay.Relay, logger *slog.Logger) {
	before := streams.Active()
	logger.Info("draining", "timeout", timeout.String(), "sessions", sessions.Stats().Sessions, "streams", before)
	ctx, cancel := context.WithTimeout(now, timeout)
	defer cancel()
	err := sessions.Drain(ctx)
	// What sessions left behind that were closed is delivered in the same time.
	if err = cmp.Or(err, streams.Close(ctx)); err != nil {
		logger.Warn("drain ended early", "reason", err, "streams", before)
	}
	sessions.Close()
}

// tell tells systemd; elsewhere it does nothing. The service runs as well where systemd does not hear.
func tell(logger *slog.Logger, states ...string) {
	if err := sdnotify.Send(states...); err != nil {
		logger.Warn("systemd is not told", "error", err)
	}
}

// shutdown ends the HTTP server; answers that are under way may finish for a short while.
func shutdown(now context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(now, shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // its errors are those of connections that are cut anyway
	}
}

// demoHost is where the demo services listen; the playground has it too (js/playground/main.js).
const demoHost = "127.0.0.1"

// listed gives the demo services in the form of the playground.
func listed(services []demo.Service) []gateway.Service {
	list := make([]gateway.Service, len(services))
	for i, s := range services {
		list[i] = gateway.Service{Name: s.Name, Port: int(s.Port), Description: s.Description}
	}
	return list
}

// agent is what clients are told; the protocol limits its length (docs/PROTOCOL.md, 3.1).
func agent() string {
	const most = 128
	text := "sockmux/" + Version()
	return text[:min(most, len(text))]
}

// endedContext is for ends that do not wait.
var endedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
