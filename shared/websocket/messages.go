//go:build !js

package websocket

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/wire"
)

// MessageStream is a WebSocket whose binary messages are read as they come, so none is too
// long. It is for foreign protocols, and for one goroutine that receives and one that sends.
// Close, Abort, Dismiss and Send are those of Conn.
type MessageStream struct{ conn *Conn }

// AcceptMessages is Accept for a WebSocket whose client may offer a subprotocol and need not.
// Nothing may be received before Admit.
func AcceptMessages(w http.ResponseWriter, r *http.Request, subprotocol string, socket func(net.Conn) (*net.TCPConn, bool)) (*MessageStream, error) {
	ws, u, err := upgrade(w, r, subprotocol, socket)
	if err != nil {
		return nil, err
	}
	return &MessageStream{u.accepted(ws)}, nil
}

// Admit lets the client send: it has a session now.
func (s *MessageStream) Admit() { s.conn.ws.SetReadLimit(-1) }

// Receive returns the next message, which is read to its end before the next call. It returns
// io.EOF if the other end has closed the WebSocket without an error. A text message closes it
// with 1003. The context holds for the whole message.
func (s *MessageStream) Receive(ctx context.Context) (io.Reader, error) {
	kind, message, err := s.conn.ws.Reader(ctx)
	if err != nil {
		return nil, endOfStream(err)
	}
	if kind != websocket.MessageBinary {
		_ = s.conn.ws.Close(websocket.StatusUnsupportedData, "text messages are not taken") // the error below says it too
		return nil, wire.NewError(wire.Protocol, "text message")
	}
	return message, nil
}

// Ping returns when the other end has answered a ping. A Receive must be under way.
func (s *MessageStream) Ping(ctx context.Context) error {
	if err := s.conn.ws.Ping(ctx); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// Send is Conn.Send.
func (s *MessageStream) Send(ctx context.Context, message []byte) error {
	return s.conn.Send(ctx, message)
}

// Close is Conn.Close.
func (s *MessageStream) Close(code int, reason string) error { return s.conn.Close(code, reason) }

// Dismiss is Conn.Dismiss.
func (s *MessageStream) Dismiss() { s.conn.Dismiss() }

// Abort is Conn.Abort.
func (s *MessageStream) Abort() { s.conn.Abort() }
