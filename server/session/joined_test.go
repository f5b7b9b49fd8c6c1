package session_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// older is a client's end of a carrier that clears the bit of JOINED in the hello or in the
// welcome, as an older client or server leaves it. It counts the JOINED messages of each end.
type older struct {
	link.Carrier
	client, server         bool
	fromClient, fromServer *atomic.Int32
}

// The low byte of the capabilities in HELLO and WELCOME.
const (
	helloBits   = 1 + 4 + 2 + 3
	welcomeBits = 1 + 2 + 3
)

func (o older) Send(ctx context.Context, message []byte) error {
	switch wire.Type(message[0]) {
	case wire.TypeHello:
		if o.client {
			message[helloBits] &^= byte(wire.CanJoin)
		}
	case wire.TypeJoined:
		o.fromClient.Add(1)
	default:
	}
	return o.Carrier.Send(ctx, message)
}

func (o older) Receive(ctx context.Context) ([]byte, error) {
	message, err := o.Carrier.Receive(ctx)
	if err != nil {
		return nil, err
	}
	switch wire.Type(message[0]) {
	case wire.TypeWelcome:
		if o.server {
			message[welcomeBits] &^= byte(wire.CanJoin)
		}
	case wire.TypeJoined:
		o.fromServer.Add(1)
	default:
	}
	return message, nil
}

// TestJoinedIsAgreed: an end sends JOINED where the other end has said that it knows them, and
// everything arrives in any case.
func TestJoinedIsAgreed(t *testing.T) {
	for _, test := range []struct{ client, server, fromClient, fromServer bool }{
		{client: false, server: false, fromClient: true, fromServer: true},
		{client: true, server: false},
		{client: false, server: true, fromServer: true},
	} {
		w := newWorld(t, session.Config{})
		var fromClient, fromServer atomic.Int32
		c := client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
			c, err := w.dial(ctx)
			return older{c, test.client, test.server, &fromClient, &fromServer}, err
		}})
		stream, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7})
		if err != nil {
			t.Fatal(err)
		}
		for i := range byte(200) {
			if _, err := stream.Write([]byte{i}); err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 1)
			if _, err := io.ReadFull(stream, b); err != nil || b[0] != i {
				t.Fatalf("echo of %d: %d, %v", i, b[0], err)
			}
		}
		c.Close()
		if got := fromClient.Load() > 0; got != test.fromClient {
			t.Errorf("%+v: JOINED of the client: %t", test, got)
		}
		if got := fromServer.Load() > 0; got != test.fromServer {
			t.Errorf("%+v: JOINED of the server: %t", test, got)
		}
	}
}
