package gateway

import "net/http"

// Reason says why a request was not upgraded. There are few, so that they fit into the label of a metric.
type Reason string

// The reasons.
const (
	ReasonNoWebSocket Reason = "not_websocket"
	ReasonOrigin      Reason = "origin"
	ReasonSubprotocol Reason = "subprotocol"
	ReasonHandshake   Reason = "handshake" // the headers of a WebSocket, but wrong ones
	ReasonConnections Reason = "connections"
	ReasonEnded       Reason = "ended"
)

// Reasons lists all of them.
func Reasons() []Reason {
	return []Reason{ReasonNoWebSocket, ReasonOrigin, ReasonSubprotocol, ReasonHandshake, ReasonConnections, ReasonEnded}
}

// Refusal is the answer to a request that was not upgraded.
type Refusal struct {
	Reason Reason
	Status int
	Text   string
}

// note writes the one log line of a refusal and tells whoever wants to know.
func (g *Gateway) note(r *http.Request, refusal *Refusal) {
	g.config.Logger.Warn("connection refused", "peer", r.RemoteAddr, "status", refusal.Status, "reason", string(refusal.Reason), "error", refusal.Text)
	if g.config.Refused != nil {
		g.config.Refused(r, *refusal)
	}
}
