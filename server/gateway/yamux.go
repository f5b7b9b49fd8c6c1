package gateway

import (
	"net/http"

	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/shared/websocket"
)

// yamux upgrades the request of a client that speaks plain yamux, and serves it until its
// end (docs/PROTOCOL.md, 9).
func (g *Gateway) yamux(w http.ResponseWriter, r *http.Request) {
	if g.config.Yamux == nil {
		g.refuse(w, r, refusal(ReasonOff, http.StatusNotFound, "plain yamux is not served here: start the server with --allow-yamux"))
		return
	}
	token, ok := g.credential(w, r, yamux.Subprotocol)
	if !ok {
		return
	}
	accept := func() (*websocket.ByteStream, error) {
		return websocket.AcceptBytes(w, r, yamux.Subprotocol, listener.TCP)
	}
	upgrade(g, w, r, accept, func(stream *websocket.ByteStream, place *places.Place) error {
		return g.config.Yamux(r.Context(), plainNewcomer{stream, place}, peerOf(r), token)
	})
}

// plainNewcomer is a WebSocket that has a place among strangers until it has a session.
type plainNewcomer struct {
	*websocket.ByteStream
	place *places.Place
}

// Admit implements yamux.Transport.
func (n plainNewcomer) Admit() {
	n.place.Leave()
	n.ByteStream.Admit()
}

// Dismiss implements yamux.Transport. The close handshake goes on while there is a place
// to spare.
func (n plainNewcomer) Dismiss() {
	n.place.Rank(places.Spare)
	n.ByteStream.Dismiss()
}
