package gateway

import (
	"errors"
	"net/http"
)

// health answers that the process runs. Pages may read it: scripts of earlier versions do so after
// a failed upgrade. Today's ask v1/check.
func (g *Gateway) health(w http.ResponseWriter, _ *http.Request) {
	shared(w.Header())
	answer(w, http.StatusOK, "ok")
}

// Ready says why no new tunnels are taken, or returns nil.
func (g *Gateway) Ready() error {
	if g.Draining() {
		return errDraining
	}
	return nil
}

var errDraining = errors.New("draining")

// Draining reports whether Drain was called.
func (g *Gateway) Draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.draining
}

// Carriers counts the WebSockets that are open.
func (g *Gateway) Carriers() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

// ready is Ready for load balancers. No page of another origin may read it.
func (g *Gateway) ready(w http.ResponseWriter, _ *http.Request) {
	if err := g.Ready(); err != nil {
		answer(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	answer(w, http.StatusOK, "ok")
}
