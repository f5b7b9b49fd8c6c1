// Package gateway is the HTTP face of the server: the upgrade to a tunnel, health, the script and its wasm, the playground and webR's files.
//
// All paths lie below one prefix. Answers that are no files are one line of text. What a browser must not guess or cache
// wrongly is said in headers; nothing here knows what travels in a tunnel.
package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/gateway/assets"
	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
)

// DefaultStrangers is how many WebSockets may be open without a session.
const DefaultStrangers = 1024

// Config says what a Gateway serves. Nobody may change it after New.
type Config struct {
	// Prefix is the path below which everything is served; it begins and ends with "/".
	Prefix string

	// Serve drives one carrier from its first message to its end. It owns the carrier and returns only when it has closed it. ctx ends with the HTTP server's
	// base context. peer is who asked for the upgrade.
	Serve func(ctx context.Context, c session.Newcomer, peer session.Peer) error

	// AllowOrigins are the pages that may connect beside those of the server's own host, until SetAllowOrigins.
	AllowOrigins []origin.Pattern

	// Strangers are the places of WebSockets that have no session; nil: DefaultStrangers of them.
	Strangers *places.Pool

	// Assets are the built files.
	Assets *assets.Store

	// Fresh says that the built files may change while the server runs, so that browsers ask at every use.
	Fresh bool

	// Demo lists the demo services for the playground; nil: there are none, and demo.json is not found.
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

	carriers sync.WaitGroup // Close waits for them
	recent   refusals

	mu       sync.Mutex // guards what follows
	draining bool
	closed   bool
	count    int              // of carriers
	origins  []origin.Pattern // replaced, never changed
}

// New returns a Gateway. The caller closes it. The error says why the folder of webR cannot be opened.
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
	return g, nil
}

// SetAllowOrigins replaces the pages that may connect. Tunnels that exist stay.
func (g *Gateway) SetAllowOrigins(patterns []origin.Pattern) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.origins = patterns
}

// Drain makes the gateway say on /readyz that it takes no new tunnels. WebSockets are still taken: pages come back to their tunnels over them, and whoever wants a new
// one is refused inside, by Serve, where a page can read it.
func (g *Gateway) Drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
}

// Close takes no more carriers, waits until Config.Serve has returned for every carrier, and gives the files back. Who ends the carriers is the owner of Serve.
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

// The paths below the prefix that are not files.
const (
	pathConnect = "v1/connect"
	pathCheck   = "v1/check"
	pathHealth  = "healthz"
	pathReady   = "readyz"
	pathDemo    = "demo.json"
	pathWebR    = "webr/"
)

// ServeHTTP answers one request.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, g.config.Prefix)
	if below && name == pathConnect {
		g.connect(w, r)
		return
	}
	w = newPatient(w)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		answer(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
		return
	}
	switch {
	case !below && r.URL.Path+"/" == g.config.Prefix:
		http.Redirect(w, r, g.config.Prefix, http.StatusPermanentRedirect)
	case !below:
		g.notFound(w)
	case name == pathCheck:
		g.check(w, r)
	case name == pathHealth:
		g.health(w)
	case name == pathReady:
		g.ready(w)
	case name == pathDemo:
		g.demo(w, r)
	case strings.HasPrefix(name, pathWebR):
		g.webRFile(w, r, strings.TrimPrefix(name, pathWebR))
	default:
		g.asset(w, r, name)
	}
}

// answer writes one line of text that no cache keeps.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, line) // an error means that the peer is gone
}

func (g *Gateway) notFound(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, "not found: the playground is at "+g.config.Prefix)
}

// shared lets every page of the web load an answer, also pages that are cross-origin isolated
// (https://html.spec.whatwg.org/multipage/browsers.html#coep, https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header).
func shared(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// A worker's script must say this itself, or an isolated page may not start it.
	header.Set("Cross-Origin-Embedder-Policy", "require-corp")
}

// writePatience is how long a browser may take nothing of an answer before it is given up: long enough for a phone that changes its network.
const writePatience = time.Minute

// patient moves the write deadline with every write, so that an answer may take any time while it moves. http.Server.WriteTimeout would cut big files on
// slow lines instead.
type patient struct {
	http.ResponseWriter
	control *http.ResponseController
}

func newPatient(w http.ResponseWriter) *patient {
	p := &patient{w, http.NewResponseController(w)}
	p.extend()
	return p
}

// extend has no effect where there is no connection with deadlines (tests without one).
func (p *patient) extend() { _ = p.control.SetWriteDeadline(time.Now().Add(writePatience)) }

// Write implements io.Writer. There is no ReadFrom on purpose: it would hide the writes.
func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	return p.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }
