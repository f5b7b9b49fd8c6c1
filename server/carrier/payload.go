package carrier

import (
	"context"
	"sync"

	"github.com/sockmux/sockmux/shared/buffer"
)

// kept is a bare message in the buffer in which it was received.
type kept struct {
	buffer.Bytes
	whole []byte
}

// payloads has the buffers of bare messages that were released.
var payloads sync.Pool

// ReceiveBody implements link.Carrier. The payload is the buffer of the connection, which
// gets another one.
func (c *Conn) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	if b, ok := payloads.Get().(*kept); ok {
		c.buffer = b.whole
	}
	message, err := c.Receive(ctx)
	if err != nil {
		return nil, err
	}
	k := &kept{message, c.buffer}
	c.buffer = make([]byte, firstBuffer)
	return k, nil
}

// Release implements buffer.Payload.
func (k *kept) Release() { payloads.Put(k) }
