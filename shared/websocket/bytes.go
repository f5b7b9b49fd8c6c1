//go:build !js

package websocket

import (
	"context"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/wire"
)

// ByteStream is a WebSocket whose binary messages are a stream of bytes: where one ends
// means nothing, so none is too long. It is for foreign protocols, and for one goroutine
// that reads and one that sends. Close, Abort, Dismiss and Send are those of Conn.
type ByteStream struct {
	conn    *Conn
	message io.Reader // the rest of the message that is being read; nil: none
}

// AcceptBytes is Accept for a WebSocket with another subprotocol. Nothing may be read
// before Admit.
func AcceptBytes(w http.ResponseWriter, r *http.Request, subprotocol string, socket func(net.Conn) (*net.TCPConn, bool)) (*ByteStream, error) {
	conn, err := accept(w, r, subprotocol, socket)
	if err != nil {
		return nil, err
	}
	return &ByteStream{conn: conn}, nil
}

// Admit lets the client send: it has a session now.
func (s *ByteStream) Admit() { s.conn.ws.SetReadLimit(-1) }

// Read returns the next bytes. Where many more of a message are announced than b takes,
// it blocks until b is full. It returns io.EOF if the other end has closed the WebSocket
// without an error. A text message closes it with 1003. The context of the call that
// begins a message holds for all of it.
func (s *ByteStream) Read(ctx context.Context, b []byte) (int, error) {
	for {
		if s.message == nil {
			kind, message, err := s.conn.ws.Reader(ctx)
			if err != nil {
				return 0, endOfStream(err)
			}
			if kind != websocket.MessageBinary {
				_ = s.conn.ws.Close(websocket.StatusUnsupportedData, "text messages are not part of "+s.conn.ws.Subprotocol()) // the error below says it too
				return 0, wire.NewError(wire.Protocol, "text message")
			}
			s.message = message
		}
		n, err := s.message.Read(b)
		if err == io.EOF {
			s.message, err = nil, nil
		}
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
	}
}

// endOfStream makes io.EOF of the close codes that stand for no error.
func endOfStream(err error) error {
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return io.EOF
	default:
		return err
	}
}

// Send is Conn.Send.
func (s *ByteStream) Send(ctx context.Context, message []byte) error {
	return s.conn.Send(ctx, message)
}

// Close is Conn.Close.
func (s *ByteStream) Close(code int, reason string) error { return s.conn.Close(code, reason) }

// Dismiss is Conn.Dismiss.
func (s *ByteStream) Dismiss() { s.conn.Dismiss() }

// Abort is Conn.Abort.
func (s *ByteStream) Abort() { s.conn.Abort() }
