// Package admin is the HTTP face for those who run the server, on a listener of its own: metrics, profiles, health and the status page.
//
// Nobody authenticates here, so it listens on loopback unless it is told otherwise, and it answers no page of another site: neither one that asks across
// origins nor one whose name was pointed at this machine (DNS rebinding).
package admin

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"

	"github.com/sockmux/sockmux/server/origin"
)

// Config says what is served. Nobody may change it after New.
type Config struct {
	Metrics http.Handler
	Status  http.Handler // gets every path that is not listed below
	// Ready says why the server takes nothing new, or returns nil. It may be called at any time and must not block.
	Ready func() error
}

// The paths.
const (
	pathMetrics = "/metrics"
	pathHealth  = "/healthz"
	pathReady   = "/readyz"
	pathProfile = "/debug/pprof/"
)

// New returns the handler. It uses nothing of http.DefaultServeMux, where net/http/pprof puts itself as well: nothing may ever serve that.
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
	mux.HandleFunc("GET "+pathProfile+"cmdline", pprof.Cmdline)
	mux.HandleFunc("GET "+pathProfile+"profile", pprof.Profile)
	mux.HandleFunc("GET "+pathProfile+"symbol", pprof.Symbol)
	mux.HandleFunc("POST "+pathProfile+"symbol", pprof.Symbol)
	mux.HandleFunc("GET "+pathProfile+"trace", pprof.Trace)
	mux.Handle("GET /", config.Status)
	return guard(mux)
}

// guard refuses what comes from pages of other sites.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		if why := foreign(r); why != "" {
			answer(w, http.StatusForbidden, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request is refused, or gives an empty text. A link of another site may lead to the status page, but not to profiles, which
// cost time.
func foreign(r *http.Request) string {
	if onLoopback(r) && origin.Rebindable(r.Host) {
		return "this listener is on loopback and answers to addresses and localhost only, not to other names: open http://127.0.0.1 with its port"
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

// onLoopback says whether the request has come in over the loopback interface; where that is not known it has.
func onLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return true
	}
	addr, err := netip.ParseAddrPort(local.String())
	return err != nil || addr.Addr().Unmap().IsLoopback()
}

// answer writes one line of text that no cache keeps.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, line) // an error means that the peer is gone
}

// CheckAddress says what is wrong with an address for this listener. beyond says that the operator has confirmed to listen beyond loopback.
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
	return fmt.Errorf("%q can be reached from other machines, and nobody authenticates there: listen on 127.0.0.1, or say --insecure-admin", address)
}
