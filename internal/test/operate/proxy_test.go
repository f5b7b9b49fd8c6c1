package operate_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
)

// The name that a trusted proxy gives is one line. What it is folded over is refused.
func TestFoldedHeaderIsRefused(t *testing.T) {
	s := product.Start(t, "--trusted-proxies", "127.0.0.1", "--auth-header", "X-User", "--allow", "127.0.0.1")
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := "GET /v1/connect HTTP/1.1\r\nHost: " + s.Addr() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sockmux.v1\r\nX-User: alice\r\n root\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	err = within(t, "the answer", func() error {
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("a folded header: %s, want 400", response.Status)
		}
		return response.Body.Close()
	})
	if err != nil {
		t.Error(err)
	}

	// A session is no header, whatever its bytes look like.
	c := s.Dial(t, func(config *client.Config) {
		config.Dial = func(ctx context.Context) (link.Carrier, error) {
			transport := &http.Transport{DisableKeepAlives: true}
			defer transport.CloseIdleConnections()
			return websocket.Dial(ctx, s.ConnectURL(), &http.Client{Transport: transport}, http.Header{"X-User": {"alice"}})
		}
	})
	say(t, product.Open(t, c, product.Echo(t)), strings.Repeat("\r\n \n\t", 10_000))
	s.WaitLog(`"identity":"alice"`)
}
