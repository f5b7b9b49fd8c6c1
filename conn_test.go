//go:build !js

package sockmux_test

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
)

// TestConn holds a connection through the assembled server against the contract of net.Conn.
func TestConn(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	dialer := &sockmux.Dialer{URL: server.URL()}
	t.Cleanup(func() { _ = dialer.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		c1, err = dialer.DialContext(context.Background(), "tcp", listener.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		if c2, err = listener.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return c1, c2, func() {
			_ = c1.Close() // a test may have closed it
			_ = c2.Close()
		}, nil
	})
}
