// Package gateway is the HTTP face of the server: the upgrade to a tunnel, health, the
// script and its wasm, the playground and webR's files.
//
// All paths lie below one prefix; routes.go lists them. Answers that are no files are one line of
// text. What a browser must not guess or cache wrongly is said in headers. Nothing here knows what
// travels in a tunnel.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"

	"github.com/sockmux/sockmux/server/fronts/posix"
	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/server/gateway/assets"
	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
)

// DefaultStrangers is how many WebSockets may be open without a session.
const DefaultStrangers = 1024

// Config says what a Gateway serves. It must not change after New.
type Config struct {
	// Prefix is the path below which everything is served; it begins and ends with "/".
	Prefix string

	// Serve drives one carrier from its first message to its end. It owns the carrier and
	// returns only when it has closed it. ctx ends with the HTTP server's base context.
	// peer is who asked for the upgrade.
	Serve func(ctx context.Context, c session.Newcomer, peer session.Peer) error

	// Yamux serves one client that speaks plain yamux, as Serve does. token is its credential,
	// empty for none. nil: there are no such clients, and their route is not found.
	Yamux func(ctx context.Context, t yamux.Transport, peer session.Peer, token string) error

	// Posix serves one program with Emscripten's full POSIX sockets, as Yamux does. nil: there
	// are no such programs, and their route is not found.
	Posix func(ctx context.Context, t posix.Transport, peer session.Peer, token string) error

	// AllowOrigins are the pages that may connect beside those of the server's own host,
	// until SetAllowOrigins.
	AllowOrigins []origin.Pattern

	// Strangers are the places of WebSockets that have no session; nil: DefaultStrangers of them.
	Strangers *places.Pool

	// Assets are the built files.
	Assets *assets.Store

	// Fresh says that the built files may change while the server runs, so that browsers
	// ask at every use.
	Fresh bool

	// Demo lists the demo services for the playground; nil: there are none, and demo.json
	// is not found.
	Demo []Service

	// WebR is a folder with webR's files; empty: there is none.
	WebR string

	// Events takes what was not upgraded; nil: nothing is recorded.
	Events events.Sink

	// Logger is never nil.
	Logger *slog.Logger
}

// Gateway is the handler of the server's one listener. It is safe for concurrent use.
type Gateway struct {
	config Config
	webR   *os.Root // nil: none
	routes *http.ServeMux

	carriers sync.WaitGroup // Close waits for them
	recent   refusals

	mu       sync.Mutex // guards what follows
	draining bool
	closed   bool
	count    int              // of carriers
	origins  []origin.Pattern // replaced, never changed
}

// New returns a Gateway. The caller closes it. The error says why the folder of webR
// cannot be opened.
func New(config Config) (*Gateway, error) {
	g := &Gateway{config: config, origins: config.AllowOrigins}
	if config.Events == nil {
		g.config.Events = events.Sinks{}
	}
	if g.config.Strangers == nil {
		g.config.Strangers = places.New(DefaultStrangers)
	}
	if config.WebR != "" {
		root, err := os.OpenRoot(config.WebR)
		if err != nil {
			return nil, fmt.Errorf("webR's files: %w", err)
		}
		g.webR = root
	}
	g.routes = g.newRoutes()
	return g, nil
}

// SetAllowOrigins replaces the pages that may connect. Tunnels that exist stay.
func (g *Gateway) SetAllowOrigins(patterns []origin.Pattern) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.origins = patterns
}

// Drain makes the gateway say on /readyz that it takes no new tunnels. WebSockets are
// still taken: pages come back to their tunnels over them, and a client that wants a new one is
// refused inside, by Serve, where a page can read it.
func (g *Gateway) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

// Close takes no more carriers, waits until Config.Serve has returned for every carrier,
// and gives the files back. Who ends the carriers is the owner of Serve.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.draining, g.closed = true, true
	g.mu.Unlock()
	g.carriers.Wait()
	if g.webR == nil {
		return nil
	}
	return g.webR.Close()
}
