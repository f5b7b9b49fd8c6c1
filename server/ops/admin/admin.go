// Package admin is the HTTP face for those who run the server, on a listener of its own:
// metrics, profiles, health and the status page.
//
// Clients do not authenticate here, so it listens on loopback unless it is told otherwise. It
// answers no page of another site: neither one that asks across origins nor one whose name
// was pointed at this machine (DNS rebinding). So it answers to addresses, to localhost and to
// the name in its own address only.
package admin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/sockmux/sockmux/server/gateway/origin"
)

// Config says what is served. It must not change after New.
type Config struct {
	Metrics http.Handler
	Status  http.Handler // gets every path that is not listed below
	// Ready says why the server takes nothing new, or returns nil. It may be called at
	// any time and must not block.
	Ready func() error
	// Address is HOST:PORT of the listener, as it was configured. A HOST that is a name is
	// answered to.
	Address string
	// CommandLine are the process's arguments, without secrets, for the profiles.
	CommandLine []string
}

// The paths.
const (
	pathMetrics = "/metrics"
	pathHealth  = "/healthz"
	pathReady   = "/readyz"
	pathProfile = "/debug/pprof/"
)

// New returns the handler. It uses nothing of http.DefaultServeMux, where net/http/pprof
// puts itself as well: nothing may ever serve that.
func New(config Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+pathMetrics, config.Metrics)
	mux.HandleFunc("GET "+pathHealth, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET "+pathReady, func(w http.ResponseWriter, _ *http.Request) {
		if err := config.Ready(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET "+pathProfile, pprof.Index)
	mux.HandleFunc("GET "+pathProfile+"cmdline", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, strings.Join(config.CommandLine, "\x00")) // as pprof.Cmdline; an error means that the peer is gone
	})
	mux.HandleFunc("GET "+pathProfile+"profile", pprof.Profile)
	mux.HandleFunc("GET "+pathProfile+"symbol", pprof.Symbol)
	mux.HandleFunc("POST "+pathProfile+"symbol", pprof.Symbol)
	mux.HandleFunc("GET "+pathProfile+"trace", pprof.Trace)
	mux.Handle("GET /", config.Status)
	name, _, err := net.SplitHostPort(config.Address)
	if err != nil {
		name = "" // no name is answered to
	}
	return guard(name, mux)
}

// guard refuses what comes from pages of other sites. name is the listener's own.
func guard(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		if why := foreign(name, r); why != "" {
			answer(w, http.StatusForbidden, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request is refused, or gives an empty text. A link of another site
// may lead to the status page, but not to profiles, which cost time.
func foreign(name string, r *http.Request) string {
	if origin.Rebindable(r.Host) && !named(r.Host, name) {
		return "this listener answers to addresses and localhost only: use an address, or give --admin the name"
	}
	if own := r.Header.Get("Origin"); own != "" && !origin.Same(own, r.Host) {
		return "pages of other sites are not answered here"
	}
	site := r.Header.Get("Sec-Fetch-Site") // every current browser sends it
	if site == "" || site == "same-origin" || site == "none" {
		return ""
	}
	if r.Header.Get("Sec-Fetch-Mode") == "navigate" && !strings.HasPrefix(r.URL.Path, pathProfile) {
		return ""
	}
	return "pages of other sites are not answered here"
}

// named reports whether the host of a request, which may have a port, is that name.
func named(host, name string) bool {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	return name != "" && strings.EqualFold(host, name)
}

// answer writes one line of text that no cache keeps.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, line) // an error means that the peer is gone
}

// CheckAddress says what is wrong with an address for this listener. beyond says that the
// operator has confirmed to listen beyond loopback.
func CheckAddress(address string, beyond bool) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("%q is not HOST:PORT", address)
	}
	if beyond || host == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is reachable from other machines without authentication: listen on 127.0.0.1, or set --insecure-admin", address)
}
