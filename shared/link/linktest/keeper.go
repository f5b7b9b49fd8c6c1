package linktest

import (
	"context"
	"sync/atomic"

	"github.com/sockmux/sockmux/shared/buffer"
)

// Keeper is a Carrier that keeps bare messages, as a page does. It implements link.Carrier.
type Keeper struct {
	*Carrier
	Bodies *Bodies
}

// Bodies counts the bare messages of Keepers.
type Bodies struct{ Came, Held atomic.Int32 }

// ReceiveBody implements link.Carrier.
func (k Keeper) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := k.Receive(ctx)
	if err != nil {
		return nil, err
	}
	k.Bodies.Came.Add(1)
	k.Bodies.Held.Add(1)
	return &body{bytes: m, of: k.Bodies}, nil
}

type body struct {
	bytes []byte
	of    *Bodies
}

func (b *body) Len() int                 { return len(b.bytes) }
func (b *body) CopyAt(to []byte, at int) { copy(to, b.bytes[at:at+len(to)]) }

// Release implements buffer.Payload. A second one shows as a count that is too small.
func (b *body) Release() {
	b.of.Held.Add(-1)
	b.bytes = nil
}
