package gateway

import (
	"encoding/json"
	"net/http"
)

// Service is one demo service, in the form that the playground reads.
type Service struct {
	Name        string `json:"name"`
	Host        string `json:"host"` // as the server sees it
	Port        uint16 `json:"port"`
	Description string `json:"description"`
}

// demo lists the demo services, for the pages that may connect.
func (g *Gateway) demo(w http.ResponseWriter, r *http.Request) {
	if g.config.Demo == nil {
		answer(w, http.StatusNotFound, "no demo services: start the server with --demo")
		return
	}
	list, err := json.Marshal(g.config.Demo)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	w.Header().Add("Vary", "Origin")
	if asked := r.Header.Get("Origin"); asked != "" && g.allowed(asked, r) {
		w.Header().Set("Access-Control-Allow-Origin", asked)
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // the ports change with every start
	w.Write(append(list, '\n'))
}
