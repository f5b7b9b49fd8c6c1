//go:build !js

package websocket

import (
	"context"

	"github.com/sockmux/sockmux/shared/buffer"
)

// kept is a bare message in the buffer in which it was received.
type kept struct {
	buffer.Bytes
	whole *[]byte
	class int
}

// ReceiveBody implements link.Carrier. The payload is the buffer of the connection, which
// takes another one for the next message.
func (c *Conn) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	message, err := c.receive(ctx, &c.incoming.bodies)
	if err != nil {
		return nil, err
	}
	whole, class := c.incoming.detach(len(message))
	return &kept{(*whole)[:len(message)], whole, class}, nil
}

// Release implements buffer.Payload.
func (k *kept) Release() { giveBuffer(k.class, k.whole) }
