//go:build !js

package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	coder "github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"))
}

// serve starts a server that hands each carrier to handle, admitted, and returns its URL.
func serve(t *testing.T, handle func(*websocket.Conn)) string {
	t.Helper()
	return serveStrangers(t, func(c *websocket.Conn) {
		c.Admit(nil)
		handle(c)
	})
}

// serveStrangers is serve without Admit.
func serveStrangers(t *testing.T, handle func(*websocket.Conn)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // the client sees it
		}
		handle(c)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func dial(t *testing.T, url string) link.Carrier {
	t.Helper()
	c, err := websocket.Dial(t.Context(), url, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(0, "") }) // may be closed already
	return c
}

func echo(c *websocket.Conn) {
	for {
		m, err := c.Receive(context.Background())
		if err != nil {
			_ = c.Close(1000, "") // the test ended it
			return
		}
		if err := c.Send(context.Background(), m); err != nil {
			return
		}
	}
}

func TestMessagesOfEverySize(t *testing.T) {
	c := dial(t, serve(t, echo))
	for _, n := range []int{1, 1023, 1024, 1025, 64 << 10, 100_000, 260_000, 300_000, wire.MaxMessage} {
		want := bytes.Repeat([]byte{byte(n)}, n)
		if err := c.Send(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := c.Receive(t.Context())
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
		}
	}
}

func TestTooLong(t *testing.T) {
	c := dial(t, serve(t, echo))
	_ = c.Send(t.Context(), make([]byte, wire.MaxMessage+1)) // may fail already
	if _, err := c.Receive(t.Context()); coder.CloseStatus(err) != coder.StatusMessageTooBig {
		t.Errorf("receive: %v", err)
	}
}

func TestText(t *testing.T) {
	ended := make(chan error, 1)
	url := serve(t, func(c *websocket.Conn) {
		_, err := c.Receive(context.Background())
		ended <- err
	})
	ws, _, err := coder.Dial(t.Context(), url, &coder.DialOptions{Subprotocols: []string{wire.Subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	if err := ws.Write(t.Context(), coder.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); coder.CloseStatus(err) != coder.StatusUnsupportedData {
		t.Errorf("client sees %v", err)
	}
	if err := <-ended; !errors.Is(err, wire.NewError(wire.Protocol, "")) {
		t.Errorf("server sees %v", err)
	}
}

func TestCloseCarriesCodeAndReason(t *testing.T) {
	c := dial(t, serve(t, func(c *websocket.Conn) {
		if err := c.Close(wire.Draining.CloseCode(), strings.Repeat("ü", 100)); err != nil {
			t.Errorf("close: %v", err)
		}
	}))
	_, err := c.Receive(t.Context())
	var closed coder.CloseError
	if !errors.As(err, &closed) || int(closed.Code) != wire.Draining.CloseCode() || closed.Reason != strings.Repeat("ü", 61) {
		t.Errorf("receive: %v", err)
	}
}

func TestSubprotocolIsNeeded(t *testing.T) {
	url := serve(t, func(*websocket.Conn) { t.Error("a carrier without the subprotocol was accepted") })
	ws, _, err := coder.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := ws.Read(t.Context()); coder.CloseStatus(err) != coder.StatusPolicyViolation {
		t.Errorf("read: %v", err)
	}
}
