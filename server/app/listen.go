package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/server/listener"
)

// Limits of the HTTP server. There is no WriteTimeout: it would cut WebSockets' upgrades
// and big files on slow lines; server/gateway moves a write deadline instead.
const (
	// Headers arrive in one packet or two; who needs longer holds connections open on purpose.
	readHeaderTimeout = 10 * time.Second
	// No request that is answered has a body.
	readTimeout = 30 * time.Second
	// Longer than browsers keep unused connections to load a page's parts.
	idleTimeout = 2 * time.Minute
	// Cookies of other programs on the same host come along; ours needs a few hundred bytes.
	maxHeaderBytes = 32 << 10
)

// newHTTPServer returns the HTTP server. base is the context of all requests.
func newHTTPServer(base context.Context, handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if tcp, ok := listener.TCP(c); ok {
				if raw, err := tcp.SyscallConn(); err == nil { // else it has ended
					notsentlowat.Limit(raw)
				}
			}
			return ctx
		},
		// Mostly strangers' broken handshakes.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}
