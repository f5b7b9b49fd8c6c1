package sockmux

import (
	"context"
	"syscall/js"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/wasm/carrier"
	"github.com/sockmux/sockmux/wasm/memory"
)

// A Handshake says how the WebSocket is opened. The browser does that, so there are no fields.
type Handshake struct{}

// newSession returns the page's own session, if the page has loaded sockmux.js and the Dialer
// has no other URL; else one of this program's.
func newSession(d *Dialer) (session, error) {
	if page, ok := pageOf(d.URL); ok {
		return page, nil
	}
	endpoint, err := d.endpoint()
	if err != nil {
		return nil, err
	}
	switch endpoint.Scheme {
	case "http":
		endpoint.Scheme = "ws"
	case "https":
		endpoint.Scheme = "wss"
	}
	constructor := js.Global().Get("WebSocket")
	if constructor.Type() != js.TypeFunction {
		return nil, errNoWebSocket
	}
	pool := new(memory.Pool)
	b := &browser{url: endpoint.String(), constructor: constructor, pool: pool}
	b.set = carrier.NewSet(b, pool)
	config := d.config(func(ctx context.Context) (link.Carrier, error) {
		c, err := b.set.Dial(ctx)
		if err != nil {
			return nil, err // not a nil *carrier.Carrier in an interface
		}
		return c, nil
	})
	config.Bare = false // a payload would have to be copied once more
	return clientSession{client.New(config)}, nil
}
