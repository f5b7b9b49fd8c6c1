//go:build !js

package sockmux

import (
	"context"
	"net/http"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
)

// A Handshake says how the WebSocket is opened.
type Handshake struct {
	// Client sends the request. Its transport decides about proxies, certificates, and the
	// TCP connection. If nil, http.DefaultTransport does, which obeys HTTPS_PROXY, but
	// connections are not kept.
	Client *http.Client
	// Header is sent along, such as for a proxy that authenticates.
	Header http.Header
}

func newSession(d *Dialer) (session, error) {
	endpoint, err := d.endpoint()
	if err != nil {
		return nil, err
	}
	return clientSession{client.New(d.config(func(ctx context.Context) (link.Carrier, error) {
		return websocket.Dial(ctx, endpoint.String(), d.Handshake.Client, d.Handshake.Header)
	}))}, nil
}
