//go:build !js

package websocket

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// Dial opens a carrier to a server. url is ws:, wss:, http: or https:, up to and with v1/connect.
// If client is nil, or has no transport, connections that were refused are not used again. The
// error of a refused upgrade has the status and the server's sentence.
func Dial(ctx context.Context, url string, client *http.Client, header http.Header) (link.Carrier, error) {
	ws, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:      through(client),
		HTTPHeader:      header,
		Subprotocols:    []string{wire.Subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	switch {
	case err == nil:
		return carrierOf(ws)
	case response != nil && response.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("dial %s: %s", url, said(response))
	}
	return nil, fmt.Errorf("dial %s: %w", url, err)
}

// carrierOf is newConn without a nil pointer in the interface.
func carrierOf(ws *websocket.Conn) (link.Carrier, error) {
	c, err := newConn(ws, wire.Subprotocol)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// maxSentence bounds what an error repeats of an answer. The server's own sentences are shorter.
const maxSentence = 500

// said describes an answer that is no upgrade: its status, and its text if it is one line of it.
func said(response *http.Response) string {
	status := "status " + response.Status
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxSentence+1)) // what was read is judged as it is
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	text := strings.TrimSpace(string(body))
	if kind != "text/plain" || text == "" || len(body) > maxSentence || !printable(text) {
		return "the answer has " + status + " and is not sockmux's: a proxy or a firewall on the way, or another server"
	}
	return "refused with " + status + ": " + text
}

// printable reports whether a text is one line that a terminal shows as it is.
func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}
