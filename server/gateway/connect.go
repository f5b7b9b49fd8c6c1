package gateway

import (
	"net/http"
	"slices"
	"strings"

	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// connect upgrades the request to a carrier and serves it until its end
// (docs/PROTOCOL.md, 2). A page never sees the texts of refusals, but people do who look
// at the browser's network tab or at the log.
func (g *Gateway) connect(w http.ResponseWriter, r *http.Request) {
	if refused := g.authorize(r, wire.Subprotocol); refused != nil {
		g.refuse(w, r, refused)
		return
	}
	accept := func() (*websocket.Conn, error) { return websocket.Accept(w, r, listener.TCP) }
	upgrade(g, w, r, accept, func(conn *websocket.Conn, place *places.Place) error {
		return g.config.Serve(r.Context(), newcomer{conn, place}, peerOf(r))
	})
}

// newcomer is a carrier that has a place among strangers until it has a session.
type newcomer struct {
	*websocket.Conn
	place *places.Place
}

// Admit implements session.Newcomer.
func (n newcomer) Admit(memory *budget.Account) {
	n.place.Leave()
	n.Conn.Admit(memory)
}

// Dismiss implements session.Newcomer. The close handshake goes on while there is a place to
// spare.
func (n newcomer) Dismiss() {
	n.place.Rank(places.Spare)
	n.Conn.Dismiss()
}

// peerOf is who asks.
func peerOf(r *http.Request) session.Peer {
	return session.Peer{Address: r.RemoteAddr, Direct: listener.Direct(r), Header: r.Header, TLS: r.TLS}
}

func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, refused *events.UpgradeRefused) {
	g.record(r, refused)
	if refused.Status == http.StatusUpgradeRequired { // RFC 9110, 15.5.22
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	answer(w, refused.Status, refused.Refusal.Text)
}

// authorize returns why the request is not upgraded to that subprotocol, or nil. An empty one
// need not be offered.
func (g *Gateway) authorize(r *http.Request, subprotocol string) *events.UpgradeRefused {
	if !lists(r.Header["Connection"], "upgrade") || !lists(r.Header["Upgrade"], "websocket") {
		return refusal(ReasonNoWebSocket, http.StatusUpgradeRequired, "this address takes WebSockets only: load "+g.config.Prefix+"sockmux.js in a page; if this is a proxy's request, the proxy must pass Upgrade and Connection on")
	}
	if header := r.Header.Get("Origin"); !g.allowed(header, r) {
		return refusal(ReasonOrigin, http.StatusForbidden, "origin "+printable(header)+" may not connect: start the server with --allow-origin "+printable(header))
	}
	if subprotocol != "" && !lists(r.Header["Sec-Websocket-Protocol"], subprotocol) {
		return refusal(ReasonSubprotocol, http.StatusBadRequest, "the subprotocol "+subprotocol+" is not offered: another program's WebSocket, or a proxy that drops Sec-WebSocket-Protocol")
	}
	return nil
}

// allowed decides by the Origin header. Browsers always send one with a WebSocket; what
// sends none is no browser, and the check does not concern it. The server's own pages are
// allowed where the host cannot be a name that a stranger points here
// (origin.Rebindable).
func (g *Gateway) allowed(header string, r *http.Request) bool {
	if header == "" || origin.Same(header, r.Host) && !origin.Rebindable(r.Host) && !downgraded(header, r) {
		return true
	}
	g.mu.Lock()
	origins := g.origins
	g.mu.Unlock()
	return slices.ContainsFunc(origins, func(p origin.Pattern) bool { return p.Matches(header) })
}

// downgraded reports whether a page that came over http wants to connect to a server that is
// reached over https: an attacker on the path may have written that page. Where no trusted
// proxy tells how the browser reaches the server, that is unknown and not held against
// the page.
func downgraded(header string, r *http.Request) bool {
	return listener.SchemeOf(r) == listener.SchemeHTTPS && strings.HasPrefix(header, "http:")
}

// maxPrintable is longer than any origin: 253 letters of a name are not used in earnest.
const maxPrintable = 200

// printable keeps what a stranger wrote from being long or more than one word in an
// answer or a log line.
func printable(header string) string {
	clean := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '?'
		}
		return r
	}, header)
	if len(clean) > maxPrintable {
		return clean[:maxPrintable] + "..."
	}
	return clean
}

// lists reports whether a header that is a list of words holds the word, whatever its case
// (RFC 9110, 5.6.1).
func lists(lines []string, word string) bool {
	for _, line := range lines {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(item), word) {
				return true
			}
		}
	}
	return false
}

// enter counts one more carrier, or says why there must be none. The caller calls leave.
func (g *Gateway) enter() *events.UpgradeRefused {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return refusal(ReasonEnded, http.StatusServiceUnavailable, "the server has ended")
	}
	g.count++
	g.carriers.Add(1) // under the lock that Close takes, so never beside Close's Wait
	return nil
}

func (g *Gateway) leave() {
	g.mu.Lock()
	g.count--
	g.mu.Unlock()
	g.carriers.Done()
}
