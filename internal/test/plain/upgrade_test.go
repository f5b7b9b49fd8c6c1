package plain_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/product"
)

// TestOff has no such route where nothing was said.
func TestOff(t *testing.T) {
	s := product.Start(t)
	_, response, err := dialSocket(t, s, nil)
	if err == nil {
		t.Fatal("the route is there")
	}
	body, _ := io.ReadAll(response.Body) // what was read is compared
	if response.StatusCode != 404 || !strings.Contains(string(body), "--allow-yamux") {
		t.Errorf("%d %q, want 404 that names the flag", response.StatusCode, body)
	}
}

// TestUpgrade refuses what is no plain client, with a sentence.
func TestUpgrade(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		what   string
		change func(*websocket.DialOptions)
		status int
		says   string
	}{
		{"another subprotocol", func(o *websocket.DialOptions) { o.Subprotocols = []string{"sockmux.v1"} }, 400, "the subprotocol yamux is not offered"},
		{"another page", func(o *websocket.DialOptions) { o.HTTPHeader.Set("Origin", "https://evil.example") }, 403, "may not connect"},
		{"a token that is none", func(o *websocket.DialOptions) { o.Subprotocols = append(o.Subprotocols, "sockmux.bearer.a") }, 400, "base64url"},
	} {
		_, response, err := dialSocket(t, s, test.change)
		if err == nil {
			t.Errorf("%s: no error", test.what)
			continue
		}
		body, _ := io.ReadAll(response.Body) // what was read is compared
		if response.StatusCode != test.status || !strings.Contains(string(body), test.says) {
			t.Errorf("%s: %d %q, want %d with %q", test.what, response.StatusCode, body, test.status, test.says)
		}
	}
}

// TestSilence ends the session of a client that answers no ping, and not that of one that
// does.
func TestSilence(t *testing.T) {
	s := start(t, "--keepalive", "1s")
	echo := product.Echo(t)
	alive, _ := dial(t, s, nil)
	stream := open(t, alive, echo)
	silent := newPeer(t, s)
	began := time.Now()
	silent.send(silent.request(1, echo))
	for { // it reads, and answers nothing
		if _, err := silent.next(); err != nil {
			break
		}
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("the silent session ended after %s, want 2 s", took)
	}
	s.WaitLog("gave no sign of life")
	if _, err := stream.Write([]byte("still")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stream, make([]byte, 5)); err != nil {
		t.Error(err)
	}
}

// TestText ends the session of a client that sends text, as on the other route.
func TestText(t *testing.T) {
	s := start(t)
	ws, _, err := dialSocket(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		_, _, err = ws.Read(t.Context())
	}
	if code := websocket.CloseStatus(err); code != websocket.StatusUnsupportedData {
		t.Errorf("%v, want 1003", err)
	}
}
