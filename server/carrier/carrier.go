// Package carrier makes a link.Carrier of a coder/websocket connection: on the server by Accept, in native clients and tests by Dial.
package carrier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
	"github.com/sockmux/sockmux/server/unsent"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// firstBuffer is what an idle carrier holds for the next message; it grows with the messages that come.
const firstBuffer = 1 << 10

// maxReason is the longest reason that a close frame holds (RFC 6455, section 5.5: 125 bytes with the code).
const maxReason = 123

// Conn is one WebSocket with the subprotocol of sockmux. It implements link.Carrier.
type Conn struct {
	ws     *websocket.Conn
	buffer []byte
	unsent *unsent.Following // nil: the system's own limit
}

var _ link.Carrier = (*Conn)(nil)

// Accept upgrades a request. On failure it has answered the request and returns why. The caller has checked the Origin header, and closes the carrier. socket finds the TCP socket
// below the request's connection, such as listener.TCP; what it has not sent is then limited by the length of the messages (server/unsent). nil leaves it to the system.
func Accept(w http.ResponseWriter, r *http.Request, socket func(net.Conn) (*net.TCPConn, bool)) (*Conn, error) {
	u := &upgrading{ResponseWriter: w}
	ws, err := websocket.Accept(u, r, &websocket.AcceptOptions{
		Subprotocols: []string{wire.Subprotocol},
		// The gateway checks origins, by rules that know schemes and ports.
		InsecureSkipVerify: true,
		// What travels is mostly compressed or encrypted already, and compression beside secrets gives them away (CRIME).
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	c, err := newConn(ws)
	if err != nil || socket == nil {
		return c, err
	}
	if tcp, ok := socket(u.conn); ok {
		if raw, err := tcp.SyscallConn(); err == nil { // else it has ended
			c.unsent = unsent.Follow(raw)
		}
	}
	return c, nil
}

func newConn(ws *websocket.Conn) (*Conn, error) {
	if got := ws.Subprotocol(); got != wire.Subprotocol {
		_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol "+wire.Subprotocol+" is needed") // the error below says it too
		return nil, fmt.Errorf("the other end chose the subprotocol %q, not %s", got, wire.Subprotocol)
	}
	ws.SetReadLimit(wire.MaxMessage)
	return &Conn{ws: ws, buffer: make([]byte, firstBuffer)}, nil
}

// Send implements link.Carrier. It is for one goroutine at a time.
func (c *Conn) Send(ctx context.Context, message []byte) error {
	if c.unsent != nil {
		c.unsent.Sending(len(message))
	}
	return c.ws.Write(ctx, websocket.MessageBinary, message)
}

// Receive implements link.Carrier. A text message ends the carrier with 1003.
func (c *Conn) Receive(ctx context.Context) ([]byte, error) {
	kind, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, received(err)
	}
	if kind != websocket.MessageBinary {
		// The close code says it all; a CLOSE message could not follow it.
		_ = c.ws.Close(websocket.StatusUnsupportedData, "text messages are not part of "+wire.Subprotocol)
		return nil, wire.NewError(wire.Protocol, "text message")
	}
	n := 0
	for {
		m, err := r.Read(c.buffer[n:])
		n += m
		if errors.Is(err, io.EOF) {
			return c.buffer[:n], nil
		}
		if err != nil {
			return nil, received(err)
		}
		if n == len(c.buffer) {
			larger := make([]byte, min(4*len(c.buffer), wire.MaxMessage+1)) // the read limit bounds it; one more byte is for the end
			copy(larger, c.buffer)
			c.buffer = larger
		}
	}
}

// ErrTooLong is what Receive returns for a message that is longer than the protocol allows. The WebSocket has been closed with 1009 then.
var ErrTooLong = wire.NewError(wire.Limit, fmt.Sprintf("a message is longer than %d bytes", wire.MaxMessage))

// received makes an ErrTooLong of the WebSocket's own error.
func received(err error) error {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return ErrTooLong
	}
	return err
}

// Close implements link.Carrier.
func (c *Conn) Close(code int, reason string) error {
	if code == 0 {
		return c.ws.CloseNow()
	}
	return c.ws.Close(websocket.StatusCode(code), wire.Cut(reason, maxReason))
}
