package gateway

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/server/fronts/yamux"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/session"
)

// TestYamux upgrades plain clients, counts them among strangers until they have a
// session, and hands their tokens on.
func TestYamux(t *testing.T) {
	strangers := places.New(10)
	g := newGateway(t, func(c *Config) {
		c.Strangers = strangers
		c.Yamux = func(ctx context.Context, transport yamux.Transport, peer session.Peer, token string) error {
			before := strangers.Stats().Count
			transport.Admit()
			if after := strangers.Stats().Count; before != 1 || after != 0 {
				t.Errorf("%d strangers, then %d; want 1 and 0", before, after)
			}
			b := make([]byte, 5)
			if n, err := transport.Read(ctx, b); err != nil || string(b[:n]) != "hello" {
				t.Errorf("read %q, %v", b[:n], err)
			}
			if err := transport.Send(ctx, []byte(token+" "+peer.Header.Get("X-Test"))); err != nil {
				t.Error(err)
			}
			return transport.Close(1000, "")
		}
	})
	url := serve(t, g) + "/v1/yamux"
	for _, test := range []struct {
		authorization, subprotocol, want string
	}{
		{"", "", ""},
		{"Bearer secret", "", "secret"},
		{"BEARER  secret ", "", "secret"},
		{"Basic c2VjcmV0", "", ""},
		{"", bearerPrefix + base64.RawURLEncoding.EncodeToString([]byte("a secret of bytes \xff\xfe")), "a secret of bytes \xff\xfe"},
		{"Bearer first", bearerPrefix + "c2Vjb25k", "first"},
	} {
		options := &websocket.DialOptions{Subprotocols: []string{"yamux"}, HTTPHeader: http.Header{"X-Test": {"header"}}}
		if test.subprotocol != "" {
			options.Subprotocols = []string{test.subprotocol, "yamux"}
		}
		if test.authorization != "" {
			options.HTTPHeader.Set("Authorization", test.authorization)
		}
		c, _, err := websocket.Dial(t.Context(), url, options)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Subprotocol(); got != "yamux" {
			t.Errorf("the subprotocol %q was selected", got)
		}
		if err := c.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != test.want+" header" {
			t.Errorf("%+v: the token is %q, %v", test, got, err)
		}
		_ = c.CloseNow() // nothing is left to say
	}
}

// TestYamuxRefused refuses what is no plain client, and everything where it is off.
func TestYamuxRefused(t *testing.T) {
	on := newGateway(t, func(c *Config) {
		c.Yamux = func(context.Context, yamux.Transport, session.Peer, string) error {
			t.Error("it was served")
			return nil
		}
	})
	off := newGateway(t, nil)
	for _, test := range []struct {
		gateway     *Gateway
		origin      string
		subprotocol string
		status      int
		says        string
	}{
		{off, "", "yamux", http.StatusNotFound, "--allow-yamux"},
		{on, "", "sockmux.v1", http.StatusBadRequest, "the subprotocol yamux is not offered"},
		{on, "https://evil.example", "yamux", http.StatusForbidden, "--allow-origin"},
		{on, "", "yamux, " + bearerPrefix + "%", http.StatusBadRequest, "base64url"},
	} {
		headers := []string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Protocol: " + test.subprotocol}
		if test.origin != "" {
			headers = append(headers, "Origin: "+test.origin)
		}
		w := get(test.gateway, "/v1/yamux", headers...)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%+v: %d %q", test, w.Code, w.Body)
		}
	}
}
