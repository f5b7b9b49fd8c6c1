package gateway

import (
	"net/http"

	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/session/limit"
)

// upgrade accepts the WebSocket of a request that is authorized, and serves it to its end. It
// has a place among strangers until serve gives that up. accept answers the request itself
// when it fails.
func upgrade[C interface{ Abort() }](g *Gateway, w http.ResponseWriter, r *http.Request, accept func() (C, error), serve func(C, *places.Place) error) {
	if refused := g.enter(); refused != nil {
		g.refuse(w, r, refused)
		return
	}
	defer g.leave()
	conn, err := accept()
	if err != nil {
		g.record(r, refusal(ReasonHandshake, http.StatusBadRequest, err.Error()))
		return
	}
	place := g.config.Strangers.Enter(limit.Network(r.RemoteAddr), places.Waiting, conn.Abort)
	defer place.Leave()
	if err := serve(conn, place); err != nil {
		g.config.Logger.Debug("connection ended", "peer", r.RemoteAddr, "reason", err)
	}
}
