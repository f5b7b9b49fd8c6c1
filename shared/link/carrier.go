package link

import (
	"context"

	"github.com/sockmux/sockmux/shared/buffer"
)

// Carrier is one WebSocket, reduced to what the link needs. One goroutine at a time calls Send,
// and one at a time Receive or ReceiveBody. All three return an error when the context ends or
// after Close; after an error the carrier is lost.
type Carrier interface {
	// Send sends one binary message and may wait until the network takes it. The message
	// may be reused after the return.
	Send(ctx context.Context, message []byte) error
	// Receive returns the next binary message. It is valid until the next call; Close
	// does not end that.
	Receive(ctx context.Context) ([]byte, error)
	// ReceiveBody is Receive for a bare message (docs/PROTOCOL.md, 3.2), which stays where the
	// carrier has it. The caller owns the payload.
	ReceiveBody(ctx context.Context) (buffer.Payload, error)
	// Close ends the WebSocket with a close code and a reason for people. Messages that
	// Send took before are delivered first. Code 0 ends it at once: nothing is delivered
	// to a carrier that is lost. It may be called more than once and at any time, and
	// waits no longer than a few seconds.
	Close(code int, reason string) error
}
