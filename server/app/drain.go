package app

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sockmux/sockmux/server/gateway"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/session"
)

// shutdownTimeout bounds the HTTP answers that are under way when the sessions have ended.
const shutdownTimeout = 5 * time.Second

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

// drain lets streams end on their own for a while. All that time the port stays open, so
// that /readyz can say why nothing new is taken.
func drain(now context.Context, timeout time.Duration, sessions *session.Registry, streams *relay.Relay, logger *slog.Logger) {
	before := streams.Active()
	logger.Info("draining", "timeout", timeout.String(), "sessions", sessions.Stats().Sessions, "streams", before)
	ctx, cancel := context.WithTimeout(now, timeout)
	defer cancel()
	streams.StopListening() // a listener has no end of its own
	err := sessions.Drain(ctx)
	// What sessions left behind that were closed is delivered in the same time.
	if err = cmp.Or(err, streams.Close(ctx)); err != nil {
		logger.Warn("drain ended early", "reason", err, "streams", before)
	}
	sessions.Close()
}

// shutdown ends the HTTP server; answers that are under way may finish for a short while.
func shutdown(now context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(now, shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // its errors are those of connections that are cut anyway
	}
}

// endedContext is for ends that do not wait.
var endedContext = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
