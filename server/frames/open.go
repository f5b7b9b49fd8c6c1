package frames

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
)

// maxHeader is how long the server's answer may be.
const maxHeader = 64 << 10

// Handshake is what a client asks for.
type Handshake struct {
	URL          string // ws: or wss:
	Header       http.Header
	Subprotocols []string
}

// StatusError is an answer that opens no WebSocket.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answers with status %d", e.Status)
}

// TLSError is why the TLS handshake has failed.
type TLSError struct{ Err error }

func (e *TLSError) Error() string { return "TLS: " + e.Err.Error() }

func (e *TLSError) Unwrap() error { return e.Err }

// Open makes the handshake over a connection (RFC 6455, section 4.1), with TLS for wss:. It follows
// no redirect. The connection is the WebSocket's own: if Open fails, it may have ended.
func Open(ctx context.Context, conn net.Conn, handshake Handshake) (*Conn, error) {
	used := false
	transport := &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			if used {
				return nil, net.ErrClosed
			}
			used = true
			return conn, nil
		},
		DisableKeepAlives:      true,
		DisableCompression:     true, // it would add a header
		MaxResponseHeaderBytes: maxHeader,
	}
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	key := base64.StdEncoding.EncodeToString(random[:])
	var failed error // of TLS
	trace := &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) { failed = err }}
	request, err := newRequest(httptrace.WithClientTrace(ctx, trace), handshake, key)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil && failed != nil {
		return nil, &TLSError{failed}
	}
	if err != nil {
		return nil, err
	}
	err = check(response, key, handshake.Subprotocols)
	stream, upgraded := response.Body.(io.ReadWriteCloser) // for status 101
	if err == nil && !upgraded {
		err = errors.New("the answer does not upgrade the connection")
	}
	if err != nil {
		_ = response.Body.Close() // the connection has no other use
		return nil, err
	}
	return newConn(conn, stream, response.Header.Get("Sec-Websocket-Protocol")), nil
}

func newRequest(ctx context.Context, handshake Handshake, key string) (*http.Request, error) {
	address, known := strings.CutPrefix(handshake.URL, "ws")
	if !known {
		return nil, fmt.Errorf("%s is no URL of a WebSocket", handshake.URL)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http"+address, nil)
	if err != nil {
		return nil, err
	}
	request.Header = handshake.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "websocket")
	// Written as by browsers: some servers compare the letters.
	request.Header["Sec-WebSocket-Version"] = []string{"13"}
	request.Header["Sec-WebSocket-Key"] = []string{key}
	if len(handshake.Subprotocols) > 0 {
		request.Header["Sec-WebSocket-Protocol"] = []string{strings.Join(handshake.Subprotocols, ", ")}
	}
	return request, nil
}

// check reports why an answer opens no WebSocket (RFC 6455, section 4.1, the last list).
func check(response *http.Response, key string, offered []string) error {
	if response.StatusCode != http.StatusSwitchingProtocols {
		return &StatusError{response.StatusCode}
	}
	chosen := response.Header.Values("Sec-Websocket-Protocol")
	switch {
	case !response.ProtoAtLeast(1, 1):
		return errors.New("the answer is not of HTTP/1.1")
	case !onlyToken(response.Header.Values("Upgrade"), "websocket"):
		return errors.New("the answer does not upgrade to a WebSocket")
	case !hasToken(response.Header.Values("Connection"), "upgrade"):
		return errors.New("the answer does not upgrade the connection")
	case !slices.Equal(response.Header.Values("Sec-Websocket-Accept"), []string{acceptOf(key)}):
		return errors.New("the answer is not that to the key of the request")
	case len(response.Header.Values("Sec-Websocket-Extensions")) > 0:
		return errors.New("the answer has an extension that was not offered")
	case len(offered) > 0 && len(chosen) == 0:
		return errors.New("the answer chooses none of the subprotocols")
	case len(chosen) > 1, len(chosen) == 1 && !slices.Contains(offered, chosen[0]):
		return errors.New("the answer chooses a subprotocol that was not offered")
	}
	return nil
}

// onlyToken reports whether a header is there once, and is a token in any case.
func onlyToken(values []string, token string) bool {
	return len(values) == 1 && strings.EqualFold(values[0], token)
}

// hasToken reports whether a token is in a header that is a list, in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
