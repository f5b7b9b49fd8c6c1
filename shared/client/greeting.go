package client

import (
	"context"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// greeting is a carrier whose first message must be WELCOME or CLOSE.
type greeting struct {
	link.Carrier
	welcome func(wire.Welcome) *wire.Error
	done    bool
}

// Receive implements link.Carrier. WELCOME is taken out; CLOSE is the link's business.
func (g *greeting) Receive(ctx context.Context) ([]byte, error) {
	for {
		message, err := g.Carrier.Receive(ctx)
		if err != nil || g.done || len(message) > 0 && message[0] == byte(wire.TypeClose) {
			return message, err
		}
		m, err := wire.Decode(message)
		if err != nil {
			return nil, err
		}
		w, ok := m.(wire.Welcome)
		if !ok {
			return nil, wire.NewError(wire.Protocol, "the first message of the server is not a welcome")
		}
		if err := g.welcome(w); err != nil {
			return nil, err
		}
		g.done = true
	}
}

// welcome waits for the first message of a carrier. Its error is a *wire.Error for CLOSE and
// for what breaks the protocol.
func welcome(ctx context.Context, carrier link.Carrier) (wire.Welcome, error) {
	message, err := carrier.Receive(ctx)
	if err != nil {
		return wire.Welcome{}, err
	}
	m, err := wire.Decode(message)
	if err != nil {
		return wire.Welcome{}, err
	}
	switch m := m.(type) {
	case wire.Welcome:
		return m, nil
	case wire.Close:
		return wire.Welcome{}, wire.NewError(m.Code, m.Text)
	default:
		return wire.Welcome{}, wire.NewError(wire.Protocol, "the first message of the server is neither welcome nor close")
	}
}
