package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Limits of the HTTP server. There is no WriteTimeout: it would cut WebSockets' upgrades and big files on slow lines; server/gateway moves a write deadline instead.
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

// newServer returns the HTTP server. base is the context of all requests.
func newServer(base context.Context, handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			limitUnsent(c)
			return ctx
		},
		// Mostly strangers' broken handshakes.
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
}

// pageURL is where the playground is for somebody at this machine.
func pageURL(address net.Addr, prefix string) string {
	host, port := "127.0.0.1", "0"
	if tcp, ok := address.(*net.TCPAddr); ok {
		port = strconv.Itoa(tcp.Port)
		if ip, ok := netip.AddrFromSlice(tcp.IP); ok && !ip.Unmap().IsUnspecified() {
			host = ip.Unmap().String()
		}
	}
	return "http://" + net.JoinHostPort(host, port) + prefix
}
