package product

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// DialSocket opens a WebSocket to a route of a foreign protocol, such as "yamux", by a connection
// of its own. Both end with the test. change may set options; nil: nothing is changed.
func (s *Server) DialSocket(t testing.TB, route string, change func(*websocket.DialOptions)) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	options := &websocket.DialOptions{HTTPHeader: make(http.Header), HTTPClient: &http.Client{Transport: transport}}
	if change != nil {
		change(options)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, response, err := websocket.Dial(ctx, strings.TrimSuffix(s.ConnectURL(), "connect")+route, options)
	if err == nil {
		t.Cleanup(func() { _ = ws.CloseNow() }) // it may be closed
	}
	return ws, response, err
}
