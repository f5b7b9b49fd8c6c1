package gateway

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/sockmux/sockmux/server/ops/events"
)

// credential returns the token of a request to the route of a foreign protocol, empty for none.
// ok is false for a request that is refused: credential has answered it then. subprotocol is the
// one that the client must offer, if any.
func (g *Gateway) credential(w http.ResponseWriter, r *http.Request, subprotocol string) (token string, ok bool) {
	token, refused := bearer(r.Header)
	if first := g.authorize(r, subprotocol); first != nil {
		refused = first
	}
	if refused != nil {
		g.refuse(w, r, refused)
		return "", false
	}
	return token, true
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
