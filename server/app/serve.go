package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/sockmux/sockmux/server/app/sdnotify"
	"github.com/sockmux/sockmux/server/ops/oplog"
)

// serve serves until it is told to stop, then drains. All that newServer made must be open.
func (s *server) serve(ctx context.Context, c Config, lost func() oplog.Lost) error {
	settings, logger := s.settings, s.logger
	// Requests outlive ctx: it only asks for the end.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	public, err := openPublic(ctx, settings, s.certificates, s.sessions.Review, s.own, logger)
	if err != nil {
		return err
	}
	defer public.close()
	url := public.base + settings.Prefix
	changes := s.reloader(c.Load)
	defer changes.watch()()
	closeAdmin, err := s.ops.serve(ctx, settings, parts{
		sessions: s.sessions, streams: s.streams, names: s.names, routes: s.routes, own: s.own,
		lost: lost, expires: public.expires(), reloaded: changes.reloaded, script: url + "sockmux.js",
	}, logger)
	if err != nil {
		return err
	}
	defer closeAdmin()
	http1 := newHTTPServer(base, settings.TrustedProxies.Handler(s.routes), logger)
	http1.ReadHeaderTimeout = settings.HandshakeTimeout
	http1.ConnState = s.own.connections.State
	failed := make(chan error, 1)
	go func() { failed <- http1.Serve(public) }() // both ways out below receive from it
	fmt.Fprintf(c.Stdout, "sockmux %s: %s\n", Version(), url)
	logger.Info("listening", "address", public.Addr().String(), "version", Version())
	tell(logger, sdnotify.Ready)

	select {
	case err := <-failed:
		return err
	case <-s.stop.drain.Done():
	}
	tell(logger, sdnotify.Stopping)
	if err := delayDrain(s.stop.now, settings.DrainDelay, s.routes, failed, logger); err != nil {
		return err
	}
	drain(s.stop.now, settings.DrainTimeout, s.sessions, s.streams, logger)
	shutdown(s.stop.now, http1)
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	logger.Info("ended")
	return nil
}

// tell tells systemd; elsewhere it does nothing. The service runs as well where systemd
// does not hear.
func tell(logger *slog.Logger, states ...string) {
	if err := sdnotify.Send(states...); err != nil {
		logger.Warn("systemd is not told", "error", err)
	}
}
