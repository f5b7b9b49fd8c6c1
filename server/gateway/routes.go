package gateway

import (
	"net/http"
	"path"
	"strings"

	"github.com/sockmux/sockmux/server/fronts/posix"
	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/shared/wire"
)

// newRoutes returns the routes. A new route is a line here and a file with its handler.
func (g *Gateway) newRoutes() *http.ServeMux {
	routes := http.NewServeMux()
	below := g.config.Prefix
	routes.HandleFunc(below+wire.ConnectPath, g.connect)
	routes.HandleFunc(below+wire.CheckPath, readOnly(g.check))
	routes.HandleFunc(below+yamux.Path, g.yamux)
	routes.HandleFunc(below+posix.Path, g.posix)
	routes.HandleFunc(below+"healthz", readOnly(g.health))
	routes.HandleFunc(below+"readyz", readOnly(g.ready))
	routes.HandleFunc(below+"demo.json", readOnly(g.demo))
	routes.HandleFunc(below+"webr/{name...}", readOnly(g.webRFile))
	routes.HandleFunc(below+"r/bin/emscripten/contrib/{version}/{file}", readOnly(g.rPackage))
	routes.HandleFunc(below+"{name...}", readOnly(g.asset))
	if below != "/" {
		routes.HandleFunc(strings.TrimSuffix(below, "/"), readOnly(g.toPrefix))
		routes.HandleFunc("/", readOnly(g.notFound))
	}
	return routes
}

// ServeHTTP answers one request. A path that http.ServeMux would redirect to a cleaner one is
// not found.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isClean(r.URL.Path) {
		readOnly(g.notFound)(w, r)
		return
	}
	g.routes.ServeHTTP(w, r)
}

// isClean reports whether a path begins with "/", as that of CONNECT HOST:PORT and OPTIONS * does
// not, and has no empty parts, no "." and no "..".
func isClean(name string) bool {
	clean := path.Clean(name)
	return strings.HasPrefix(name, "/") && (name == clean || clean != "/" && name == clean+"/")
}

// readOnly makes the handler of a route that is only read: it answers GET and HEAD, and takes as
// long as the browser takes its answer.
func readOnly(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w = newPatient(w)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered here")
			return
		}
		handle(w, r)
	}
}

// toPrefix sends a browser to the prefix, which ends with "/".
func (g *Gateway) toPrefix(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, g.config.Prefix, http.StatusPermanentRedirect)
}

func (g *Gateway) notFound(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNotFound, "not found: the playground is at "+g.config.Prefix)
}
