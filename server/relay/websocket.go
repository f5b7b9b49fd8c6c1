package relay

import (
	"time"
)

// websocket connects, answers, and leaves the WebSocket's handshake to the stream: what the
// handshake needs is the first that the client sends on it.
func (p *pipe) websocket() {
	conn, err := p.relay.connect(p.life, p.request)
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	p.carry(newMessages(p.relay, p.request, conn), addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr()))
	go p.down(p.copyDown) // the caller of done waits for it
}
