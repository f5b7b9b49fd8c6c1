package gateway

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/websocket"
)

// The limit of unsent data follows a carrier's messages through TLS and the PROXY protocol.
func TestUnsentBelowTLSAndProxyProtocol(t *testing.T) {
	sockets := make(chan *net.TCPConn, 1)
	g := newGateway(t, func(c *Config) {
		c.Serve = func(ctx context.Context, c session.Newcomer, _ session.Peer) error {
			if err := c.Send(ctx, make([]byte, 512<<10)); err != nil {
				return err
			}
			_, err := c.Receive(ctx) // until the client ends
			return err
		}
	})
	server := httptest.NewUnstartedServer(g)
	server.Listener = listener.Wrap(server.Listener, listener.Config{ProxyProtocol: listener.Proxies{netip.MustParsePrefix("127.0.0.1/32")}})
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if _, secure := c.(*tls.Conn); !secure {
			t.Errorf("a %T, want TLS", c)
		}
		if tcp, ok := listener.TCP(c); ok {
			sockets <- tcp
		}
		return ctx
	}
	server.StartTLS()
	defer server.Close()
	transport := server.Client().Transport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			_, err = io.WriteString(conn, "PROXY TCP4 198.51.100.7 192.0.2.9 4711 443\r\n")
		}
		return conn, err
	}
	c, err := websocket.Dial(t.Context(), server.URL+"/v1/connect", &http.Client{Transport: transport}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(0, "") }() // nothing is to be said
	if message, err := c.Receive(t.Context()); err != nil || len(message) != 512<<10 {
		t.Fatalf("%d bytes, %v", len(message), err)
	}
	if limit := servertest.Unsent(t, <-sockets); limit != 2<<20 {
		t.Errorf("%d KiB, want 2048", limit>>10)
	}
}
