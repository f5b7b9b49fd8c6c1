package gateway

import (
	"net/http"

	"github.com/sockmux/sockmux/server/frames"
	"github.com/sockmux/sockmux/server/fronts/posix"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/shared/budget"
)

// tokenKey names the part of the query that carries a token (RFC 6750, section 2.3): a program of
// Emscripten gives its WebSocket a URL and nothing else.
const tokenKey = "access_token"

// posix upgrades the request of a program with Emscripten's full POSIX sockets, and serves it
// until its end (docs/EMSCRIPTEN.md).
func (g *Gateway) posix(w http.ResponseWriter, r *http.Request) {
	if g.config.Posix == nil {
		g.refuse(w, r, refusal(ReasonOff, http.StatusNotFound, "full POSIX sockets are not served here: start the server with --allow-posix"))
		return
	}
	token, ok := g.credential(w, r, "")
	if !ok {
		return
	}
	if token == "" {
		token = r.URL.Query().Get(tokenKey)
	}
	accept := func() (*frames.Messages, error) { return frames.Accept(w, r, posix.Subprotocol, listener.TCP) }
	upgrade(g, w, r, accept, func(messages *frames.Messages, place *places.Place) error {
		return g.config.Posix(r.Context(), posixNewcomer{messages, place}, peerOf(r), token)
	})
}

// posixNewcomer is a WebSocket that has a place among strangers until it has a session.
type posixNewcomer struct {
	*frames.Messages
	place *places.Place
}

// Admit implements posix.Transport.
func (n posixNewcomer) Admit(longest int, memory *budget.Account, heard func()) {
	n.place.Leave()
	n.Messages.Admit(longest, memory, heard)
}

// Dismiss implements posix.Transport. The close handshake goes on while there is a place to
// spare.
func (n posixNewcomer) Dismiss() {
	n.place.Rank(places.Spare)
	n.Messages.Dismiss()
}
