package app_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestTunnel(t *testing.T) {
	r := command.Start(t, "--demo")
	page := command.Connect(t, r, strings.TrimSuffix(r.URL, "/"))
	for _, host := range []string{"127.0.0.1", "demo.test"} {
		stream, result := page.Dial(t, host, command.DemoPort(t, r, "echo"))
		if result.Code != wire.OK {
			t.Fatalf("%s: %+v", host, result)
		}
		if result.Remote.String() == "" || result.Remote.Port() != command.DemoPort(t, r, "echo") {
			t.Errorf("remote %s", result.Remote)
		}
		command.Say(t, stream, "over the tunnel")
		if err := stream.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(stream); err != nil || len(rest) != 0 {
			t.Errorf("after the half-close: %q, error %v", rest, err)
		}
		stream.Close()
	}
	stream, result := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "refused"))
	if result.Code != wire.Refused {
		t.Errorf("a port where nobody listens: %+v", result)
	}
	stream.Close()
	// The server's own port is not among the demo's.
	stream, result = page.Dial(t, "127.0.0.1", 1)
	if result.Code != wire.Denied {
		t.Errorf("a port that is not allowed: %+v", result)
	}
	stream.Close()
}

// The operator's rules come before those of the demo.
func TestDenyClosesTheDemo(t *testing.T) {
	r := command.Start(t, "--demo", "--deny", "127.0.0.1")
	stream, result := command.Connect(t, r, "").Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
	defer stream.Close()
	if result.Code != wire.Denied {
		t.Errorf("%+v, want denied", result)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	r := command.Start(t)
	_, err := websocket.Dial(t.Context(), r.URL+"v1/connect", nil, http.Header{"Origin": {"https://evil.test"}})
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("error %v, want status 403", err)
	}
	r = command.Start(t, "--allow-origin", "https://page.test")
	command.Connect(t, r, "https://page.test")
}

// During a drain streams go on, the port says that the server drains, and the process
// ends with the last stream.
func TestDrain(t *testing.T) {
	r := command.Start(t, "--demo", "--drain-timeout", "1m")
	page := command.Connect(t, r, "")
	stream, result := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	command.Say(t, stream, "before")
	r.Ask()
	if in := <-page.Drained; in <= 0 || in > time.Minute {
		t.Errorf("told to go in %s, want at most a minute", in)
	}
	command.Say(t, stream, "while it drains")
	if status, body := command.Fetch(t, r.URL+"readyz"); status != 503 || body != "draining\n" {
		t.Errorf("readyz: %d %s", status, body)
	}
	if status, _ := command.Fetch(t, r.URL+"healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if message := command.Greet(t, r, nil, wire.Hello{Version: wire.Version}); message != (wire.Close{Code: wire.Draining, Text: "the server is going away"}) {
		t.Errorf("a new session is answered with %+v", message)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(stream); err != nil || len(rest) != 0 {
		t.Errorf("the end: %q, error %v", rest, err)
	}
	stream.Close()
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(r.Stderr.String(), "drain ended early") {
		t.Errorf("stderr:\n%s", r.Stderr)
	}
}

// A stream that does not end keeps the server no longer than it was told.
func TestDrainTimeout(t *testing.T) {
	r := command.Start(t, "--demo", "--drain-timeout", "100ms")
	page := command.Connect(t, r, "")
	stream, _ := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
	defer stream.Close()
	r.Ask()
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(r.Stderr.String(), "drain ended early") {
		t.Errorf("stderr:\n%s", r.Stderr)
	}
	_, err := stream.Read(make([]byte, 1))
	if failed := new(wire.Error); !errors.As(err, &failed) || failed.Code != wire.Draining {
		t.Errorf("the stream ends with %v, want draining", err)
	}
}
