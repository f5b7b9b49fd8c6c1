package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/server/fronts/posix"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/session"
)

// TestPosix upgrades programs, counts them among strangers until they have a session, and
// hands their tokens on.
func TestPosix(t *testing.T) {
	strangers := places.New(10)
	g := newGateway(t, func(c *Config) {
		c.Strangers = strangers
		c.Posix = func(_ context.Context, transport posix.Transport, _ session.Peer, token string) error {
			before := strangers.Stats().Count
			transport.Admit(1<<20, nil, func() {})
			if after := strangers.Stats().Count; before != 1 || after != 0 {
				t.Errorf("%d strangers, then %d; want 1 and 0", before, after)
			}
			message, _, err := transport.Receive()
			if err != nil {
				return err
			}
			if len(message) != 100_000 {
				t.Errorf("a message of %d bytes", len(message))
			}
			if err := transport.Send([]byte(token)); err != nil {
				t.Error(err)
			}
			if _, _, err := transport.Receive(); err != io.EOF {
				t.Errorf("the client's end is %v", err)
			}
			return transport.Close(1000, "")
		}
	})
	url := serve(t, g) + "/v1/posix"
	for query, want := range map[string]string{"": "", "?access_token=a%20secret": "a secret", "?x=1&access_token=b": "b", "?access_token=ignored": "first"} {
		options := &websocket.DialOptions{HTTPHeader: http.Header{}}
		if want == "first" {
			options.HTTPHeader.Set("Authorization", "Bearer first")
		}
		c, _, err := websocket.Dial(t.Context(), url+query, options)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Write(t.Context(), websocket.MessageBinary, make([]byte, 100_000)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(t.Context()); err != nil || string(got) != want {
			t.Errorf("%q: the token is %q, %v", query, got, err)
		}
		_ = c.Close(1000, "") // the server sees it
	}
}

// TestPosixRefused refuses pages of others, and everything where it is off.
func TestPosixRefused(t *testing.T) {
	on := newGateway(t, func(c *Config) {
		c.Posix = func(context.Context, posix.Transport, session.Peer, string) error {
			t.Error("it was served")
			return nil
		}
	})
	for _, test := range []struct {
		gateway *Gateway
		headers []string
		status  int
		says    string
	}{
		{newGateway(t, nil), []string{"Connection: Upgrade", "Upgrade: websocket"}, 404, "--allow-posix"},
		{on, []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: https://evil.example"}, 403, "--allow-origin"},
		{on, nil, 426, "WebSockets only"},
	} {
		w := get(test.gateway, "/v1/posix", test.headers...)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%d %q, want %d with %q", w.Code, w.Body, test.status, test.says)
		}
	}
}
