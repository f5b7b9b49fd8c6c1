package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/websocket"
)

// yamux upgrades the request of a client that speaks plain yamux, and serves it until its
// end (docs/PROTOCOL.md, 9).
func (g *Gateway) yamux(w http.ResponseWriter, r *http.Request) {
	if g.config.Yamux == nil {
		g.refuse(w, r, refusal(ReasonOff, http.StatusNotFound, "plain yamux is not served here: start the server with --allow-yamux"))
		return
	}
	token, refused := bearer(r.Header)
	if first := g.authorize(r, yamux.Subprotocol); first != nil {
		refused = first
	}
	if refused != nil {
		g.refuse(w, r, refused)
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

// bearerPrefix begins the subprotocol that carries a token, in base64url without padding:
// a browser gives a WebSocket no other header to set. The server never selects it.
const bearerPrefix = "sockmux.bearer."

// bearer returns the token of a request that has no HELLO: that of Authorization (RFC
// 6750, section 2.1) or of a subprotocol. It returns an empty one if there is none.
func bearer(header http.Header) (token string, refused *events.UpgradeRefused) {
	const scheme = "Bearer "
	if value := header.Get("Authorization"); len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):]), nil
	}
	for _, line := range header["Sec-Websocket-Protocol"] {
		for item := range strings.SplitSeq(line, ",") {
			encoded, found := strings.CutPrefix(strings.TrimSpace(item), bearerPrefix)
			if !found {
				continue
			}
			decoded, err := base64.RawURLEncoding.DecodeString(encoded)
			if err != nil {
				return "", refusal(ReasonSubprotocol, http.StatusBadRequest, "what follows "+bearerPrefix+" is not base64url without padding")
			}
			return string(decoded), nil
		}
	}
	return "", nil
}
