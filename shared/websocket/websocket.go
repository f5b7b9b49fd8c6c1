//go:build !js

package websocket

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// Conn is one WebSocket with the subprotocol of sockmux. It implements link.Carrier.
type Conn struct {
	ws       *websocket.Conn
	incoming incoming
	unsent   *notsentlowat.Following // nil: the system's own limit
	abort    func() error            // nil: a client's
}

var _ link.Carrier = (*Conn)(nil)

// Accept upgrades a request. On failure it has answered the request and returns why. The
// caller has checked the Origin header, and closes the carrier. Until Admit messages may
// have MaxFirst bytes. socket finds the TCP socket below the request's connection, such
// as listener.TCP; what it has not sent is then limited by the length of the messages
// (internal/notsentlowat). nil leaves it to the system.
func Accept(w http.ResponseWriter, r *http.Request, socket func(net.Conn) (*net.TCPConn, bool)) (*Conn, error) {
	return accept(w, r, wire.Subprotocol, socket)
}

// accept is Accept for any subprotocol.
func accept(w http.ResponseWriter, r *http.Request, subprotocol string, socket func(net.Conn) (*net.TCPConn, bool)) (*Conn, error) {
	ws, u, err := upgrade(w, r, subprotocol, socket)
	if err != nil {
		return nil, err
	}
	if err := chose(ws, subprotocol); err != nil {
		return nil, err
	}
	return u.accepted(ws), nil
}

// upgrade upgrades a request, and selects the subprotocol if the client offers it.
func upgrade(w http.ResponseWriter, r *http.Request, subprotocol string, socket func(net.Conn) (*net.TCPConn, bool)) (*websocket.Conn, *upgrading, error) {
	u := &upgrading{ResponseWriter: w, socket: socket, secure: r.TLS != nil}
	ws, err := websocket.Accept(u, r, &websocket.AcceptOptions{
		Subprotocols: []string{subprotocol},
		// The gateway checks origins, by rules that know schemes and ports.
		InsecureSkipVerify: true,
		// What travels is mostly compressed or encrypted already, and compression beside
		// secrets gives them away (CRIME).
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("upgrade: %w", err)
	}
	return ws, u, nil
}

// accepted returns the connection of an upgraded request.
func (u *upgrading) accepted(ws *websocket.Conn) *Conn {
	c := &Conn{ws: ws, abort: u.conn.Close}
	c.incoming.first = true
	ws.SetReadLimit(MaxFirst)
	if u.tcp != nil {
		c.abort = u.tcp.Close                            // that of TLS would wait for a Write
		if raw, err := u.tcp.SyscallConn(); err == nil { // else it has ended
			c.unsent = notsentlowat.Follow(raw)
		}
	}
	return c
}

// chose returns an error if the other end has chosen another subprotocol.
func chose(ws *websocket.Conn, subprotocol string) error {
	if got := ws.Subprotocol(); got != subprotocol {
		_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol "+subprotocol+" is needed") // the error below says it too
		return fmt.Errorf("the other end chose the subprotocol %q, not %s", got, subprotocol)
	}
	return nil
}

func newConn(ws *websocket.Conn, subprotocol string) (*Conn, error) {
	if err := chose(ws, subprotocol); err != nil {
		return nil, err
	}
	ws.SetReadLimit(wire.MaxMessage)
	return &Conn{ws: ws}, nil
}

// Send implements link.Carrier. It is for one goroutine at a time.
func (c *Conn) Send(ctx context.Context, message []byte) error {
	if c.unsent != nil {
		c.unsent.Sending(len(message))
	}
	return c.ws.Write(ctx, websocket.MessageBinary, message)
}

// Receive implements link.Carrier. A text message ends the carrier with 1003. A carrier that
// waits for a message holds no buffer for it.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	return c.receive(ctx, &c.incoming.messages)
}

func (c *Conn) receive(ctx context.Context, likely *forecast) ([]byte, error) {
	c.incoming.release()
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, c.incoming.failed(err)
	}
	if kind != websocket.MessageBinary {
		// The close code says it all; a CLOSE message could not follow it.
		_ = c.ws.Close(websocket.StatusUnsupportedData, "text messages are not part of "+wire.Subprotocol)
		return nil, wire.NewError(wire.Protocol, "text message")
	}
	return c.incoming.read(r, likely)
}

// Admit lets messages have the length that the protocol allows: the client has a session now.
// memory, which may be nil, holds the buffers of messages from now on. The caller calls it
// once at most, before the next Receive.
func (c *Conn) Admit(memory *budget.Account) {
	c.incoming.admit(memory)
	c.ws.SetReadLimit(wire.MaxMessage)
}

// Dismiss says that the client gets no session: what it sends is not wanted. A CLOSE and Close
// may follow, within dismissTimeout: then the connection is cut. It is for connections of
// Accept.
func (c *Conn) Dismiss() {
	c.ws.SetReadLimit(maxDismissed)
	time.AfterFunc(dismissTimeout, c.Abort) // does nothing to one that has ended
}

const (
	// maxDismissed bounds what is read and dropped while the other end closes, in bytes.
	maxDismissed = 1 << 10
	// dismissTimeout is for a CLOSE and the close handshake, a round trip or two.
	dismissTimeout = 2 * time.Second
)

// Abort ends the connection at once, without a word. It does not block. Any goroutine may call
// it; calls under way return errors. It is for connections of Accept.
func (c *Conn) Abort() { _ = c.abort() } // it may have ended

// Close implements link.Carrier.
func (c *Conn) Close(code int, reason string) error {
	defer c.incoming.close()
	if code == 0 {
		return c.ws.CloseNow()
	}
	return c.ws.Close(websocket.StatusCode(code), wire.Cut(reason, wire.MaxReason))
}
