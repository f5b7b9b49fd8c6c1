package gateway

import (
	"net/http"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
)

// The reasons why a request is not upgraded. There are few, so that they fit into the label of a
// metric.
const (
	ReasonNoWebSocket = "not_websocket"
	ReasonOrigin      = "origin"
	ReasonSubprotocol = "subprotocol"
	ReasonHandshake   = "handshake" // the headers of a WebSocket, but wrong ones
	ReasonEnded       = "ended"
	ReasonOff         = "off" // a protocol that the operator has not allowed
)

// refusal is the answer to a request that is not upgraded.
func refusal(reason string, status int, text string) *events.UpgradeRefused {
	return &events.UpgradeRefused{
		Status: status, Refusal: events.Refusal{Stage: events.StageUpgrade, Reason: reason, Text: text},
	}
}

// record records a refusal of the request.
func (g *Gateway) record(r *http.Request, refused *events.UpgradeRefused) {
	refused.Client.Peer = r.RemoteAddr
	g.recent.add(r, refused, time.Now())
	g.config.Events.Record(*refused)
}
