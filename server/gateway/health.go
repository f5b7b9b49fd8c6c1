package gateway

import "net/http"

// health says that the process answers. The script reads it too, after a failed connect, to tell a dead server from one that refuses.
func (g *Gateway) health(w http.ResponseWriter) {
	shared(w.Header())
	answer(w, http.StatusOK, "ok")
}

// ready says whether new tunnels are taken; a load balancer takes its decisions from it.
func (g *Gateway) ready(w http.ResponseWriter) {
	shared(w.Header())
	g.mu.Lock()
	draining := g.draining
	g.mu.Unlock()
	if draining {
		answer(w, http.StatusServiceUnavailable, "draining")
		return
	}
	answer(w, http.StatusOK, "ok")
}
