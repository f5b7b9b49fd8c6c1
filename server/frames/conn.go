// Package frames is the client's end of a WebSocket (RFC 6455), piece by piece, so that no message
// is held as a whole:
//
//	ws, err := frames.Open(ctx, conn, frames.Handshake{URL: "ws://echo.example/"})
//	err = ws.Write([]byte("hello"), frames.Piece{Text: true, First: true, Last: true})
//	n, piece, err := ws.Read(buffer)
//	err = ws.Close(1000, "done") // Read goes on until the answer
//
// It is as strict as a browser: a server that breaks the protocol is a [*ProtocolError]. It has no
// extensions, and does not check whether a text is UTF-8.
package frames

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Times that Chromium has, too.
const (
	// closeTimeout is how long the server may take to answer the close frame.
	closeTimeout = 60 * time.Second
	// endTimeout is how long the server may take to end the connection behind the close frames,
	// and to take the frame that answers its own.
	endTimeout = 2 * time.Second
)

// Piece says what a piece of a message is.
type Piece struct {
	Text  bool // of a message that is a text, not bytes
	First bool // of its message
	Last  bool // of its message
}

// Conn is a WebSocket. One goroutine may call Read while another calls Write and Close.
type Conn struct {
	conn        net.Conn // of deadlines
	stream      io.ReadWriteCloser
	subprotocol string

	in  reading
	out sender
}

func newConn(conn net.Conn, stream io.ReadWriteCloser, subprotocol string) *Conn {
	c := &Conn{conn: conn, stream: stream, subprotocol: subprotocol}
	c.out.to, c.out.masks = stream, true
	return c
}

// Subprotocol returns the subprotocol that the server has chosen, or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// CloseNow ends the connection without a close frame.
func (c *Conn) CloseNow() error { return c.stream.Close() }

// CloseError is the end that the close frames of both ends make.
type CloseError struct {
	Code   uint16 // that of the server's frame, or message.NoCode
	Reason string
}

func (e *CloseError) Error() string {
	return fmt.Sprintf("the other end closed with %d: %q", e.Code, e.Reason)
}

// ProtocolError means that the other end has broken the protocol.
type ProtocolError struct{ Rule string }

func (e *ProtocolError) Error() string {
	return "the other end broke the WebSocket protocol: " + e.Rule
}

var (
	// ErrClosing is the error of a Write behind a close frame.
	ErrClosing = errors.New("a close frame was sent")
	// ErrUnanswered means that the server has not answered the close frame in time.
	ErrUnanswered = errors.New("the server does not answer the close frame")
)
