// Package fronts has what every front needs: a front serves clients of a foreign protocol, each
// over one WebSocket, in sessions of the server. A package below is one protocol.
package fronts

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// EndTimeout is how long a client may take for the last messages and the close handshake.
const EndTimeout = 2 * time.Second

// Ends of connections of which nothing more is known.
var (
	ErrLost   = wire.NewError(wire.SessionLost, "the connection was lost")
	ErrSilent = wire.NewError(wire.SessionLost, "the client gave no sign of life")
)

// WebSocket is what the connections of all fronts have in common.
type WebSocket interface {
	// Close ends the WebSocket with a close code and a reason, or at once where the code
	// is 0. It may be called more than once and at any time, and takes no longer than
	// some seconds.
	Close(code int, reason string) error
	// Dismiss is called for a client of which nothing more is wanted. Close may follow, within some
	// seconds: then the connection is cut.
	Dismiss()
}

// Serve serves the client of one WebSocket until its end, and closes the WebSocket. agent is what
// the client is called in logs, and token its credential, empty for none. open opens its session.
// The error says why the connection has ended.
func Serve(ctx context.Context, sessions *session.Registry, ws WebSocket, peer session.Peer, token, agent string, open func(session.ForeignTerms) (session.Foreign, error)) error {
	opened, err := sessions.ServeForeign(ctx, peer, token, agent, open)
	if !opened {
		refuse(ws, err)
	}
	return err
}

// refuse closes the WebSocket of a client that gets no session. The close code says why.
func refuse(ws WebSocket, err error) {
	ws.Dismiss()
	var e *wire.Error
	if !errors.As(err, &e) {
		e = wire.NewError(wire.Internal, "")
	}
	_ = ws.Close(e.Code.CloseCode(), e.Text) // the client is given up in any case
}

// EndOf returns what the error of a receiving says of the client's end.
func EndOf(err error) *wire.Error {
	var e *wire.Error
	switch {
	case errors.Is(err, io.EOF):
		return wire.NewError(wire.OK, "the client has closed the connection")
	case errors.As(err, &e):
		return e
	}
	return ErrLost
}
