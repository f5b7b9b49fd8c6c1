package link

import (
	"context"

	"github.com/sockmux/sockmux/shared/wire"
)

// Carrier is one WebSocket, reduced to what the link needs. Send and Receive are each called by one goroutine at a time.
// Both return when the context ends or after Close, with an error; after an error the carrier is lost.
type Carrier interface {
	// Send sends one binary message and may wait until the network takes it. The message may be reused after the return.
	Send(ctx context.Context, message []byte) error
	// Receive returns the next binary message. It is valid until the next call; Close does not end that.
	Receive(ctx context.Context) ([]byte, error)
	// Close ends the WebSocket with a close code and a reason for people. Messages that Send took before are delivered
	// first. Code 0 ends it at once: nothing is delivered to a carrier that is lost. It may be called more than once
	// and at any time, and waits no longer than a few seconds.
	Close(code int, reason string) error
}

// BodyCarrier is a Carrier that keeps bare messages outside of this program's memory. Those of other carriers come by Receive.
type BodyCarrier interface {
	Carrier
	// ReceiveBody is Receive for a bare message. The caller owns the body.
	ReceiveBody(ctx context.Context) (wire.Body, error)
}
