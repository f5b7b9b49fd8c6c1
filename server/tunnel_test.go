package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/carrier"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// tunnel is a native client with one session.
type tunnel struct {
	*mux.Session
	drained chan time.Duration // what DRAIN said
}

// greet says hello on a connection of its own and returns the answer.
func greet(t *testing.T, r *running, header http.Header, hello wire.Hello) wire.Message {
	t.Helper()
	c, err := carrier.Dial(t.Context(), r.url+"v1/connect", nil, header)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(0, "")
	if err := c.Send(t.Context(), hello.Append(nil)); err != nil {
		t.Fatal(err)
	}
	answer, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	message, err := wire.Decode(answer)
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// connect opens a session as a page of that origin does; it ends with the test.
func connect(t *testing.T, r *running, origin string) *tunnel {
	t.Helper()
	return connectAs(t, r, origin, "")
}

// connectAs is connect with a token.
func connectAs(t *testing.T, r *running, origin, token string) *tunnel {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	return connectWith(t, r, header, token)
}

// connectWith is connectAs with the headers of the upgrade.
func connectWith(t *testing.T, r *running, header http.Header, token string) *tunnel {
	t.Helper()
	c, err := carrier.Dial(t.Context(), r.url+"v1/connect", nil, header)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), wire.Hello{Version: wire.Version, Agent: "test", Token: token}.Append(nil)); err != nil {
		t.Fatal(err)
	}
	answer, err := c.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	message, err := wire.Decode(answer)
	if err != nil {
		t.Fatal(err)
	}
	if welcome, ok := message.(wire.Welcome); !ok || welcome.Version != wire.Version || !strings.HasPrefix(welcome.Agent, "sockmux/") {
		t.Fatalf("answer %+v", message)
	}
	l := link.New(link.Config{})
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = l.Run(context.Background(), c, 0) }) // ends with the link; tests see why by their streams
	tn := &tunnel{drained: make(chan time.Duration, 1)}
	tn.Session, err = mux.Client(l, mux.Config{OnDrain: func(in time.Duration, _ string) { tn.drained <- in }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tn.Close()
		_ = l.Close()
		tasks.Wait()
	})
	return tn
}

// open opens a stream and waits for the result.
func (tn *tunnel) open(t *testing.T, host string, port uint16) (*mux.Stream, wire.Result) {
	t.Helper()
	stream, err := tn.Open(wire.Request{Kind: wire.TCP, Host: host, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	result, err := stream.Result(t.Context())
	if failed := new(wire.Error); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return stream, result
}

// demoPort reads the playground's list.
func demoPort(t *testing.T, r *running, name string) uint16 {
	t.Helper()
	_, body := fetch(t, r.url+"demo.json")
	var services []struct {
		Name string
		Port uint16
	}
	if err := json.Unmarshal([]byte(body), &services); err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		if s.Name == name {
			return s.Port
		}
	}
	t.Fatalf("no %s in %s", name, body)
	return 0
}

// say sends a text through an echo and wants it back.
func say(t *testing.T, stream *mux.Stream, text string) {
	t.Helper()
	if _, err := io.WriteString(stream, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != text {
		t.Fatalf("echo %q, error %v, want %q", got, err, text)
	}
}

func TestTunnel(t *testing.T) {
	r := start(t, "--demo")
	page := connect(t, r, strings.TrimSuffix(r.url, "/"))
	for _, host := range []string{"127.0.0.1", "demo.test"} {
		stream, result := page.open(t, host, demoPort(t, r, "echo"))
		if result.Code != wire.OK {
			t.Fatalf("%s: %+v", host, result)
		}
		if result.Remote.String() == "" || result.Remote.Port() != demoPort(t, r, "echo") {
			t.Errorf("remote %s", result.Remote)
		}
		say(t, stream, "over the tunnel")
		if err := stream.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(stream); err != nil || len(rest) != 0 {
			t.Errorf("after the half-close: %q, error %v", rest, err)
		}
		stream.Close()
	}
	stream, result := page.open(t, "127.0.0.1", demoPort(t, r, "refused"))
	if result.Code != wire.Refused {
		t.Errorf("a port where nobody listens: %+v", result)
	}
	stream.Close()
	// The server's own port is not among the demo's.
	stream, result = page.open(t, "127.0.0.1", 1)
	if result.Code != wire.Denied {
		t.Errorf("a port that is not allowed: %+v", result)
	}
	stream.Close()
}

// The operator's rules come before those of the demo.
func TestDenyClosesTheDemo(t *testing.T) {
	r := start(t, "--demo", "--deny", "127.0.0.1")
	stream, result := connect(t, r, "").open(t, "127.0.0.1", demoPort(t, r, "echo"))
	defer stream.Close()
	if result.Code != wire.Denied {
		t.Errorf("%+v, want denied", result)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	r := start(t)
	_, err := carrier.Dial(t.Context(), r.url+"v1/connect", nil, http.Header{"Origin": {"https://evil.test"}})
	if err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("error %v, want status 403", err)
	}
	r = start(t, "--allow-origin", "https://page.test")
	connect(t, r, "https://page.test")
}

// During a drain streams go on, the port says that the server drains, and the process ends with the last stream.
func TestDrain(t *testing.T) {
	r := start(t, "--demo", "--drain-timeout", "1m")
	page := connect(t, r, "")
	stream, result := page.open(t, "127.0.0.1", demoPort(t, r, "echo"))
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	say(t, stream, "before")
	r.ask()
	if in := <-page.drained; in <= 0 || in > time.Minute {
		t.Errorf("told to go in %s, want at most a minute", in)
	}
	say(t, stream, "while it drains")
	if status, body := fetch(t, r.url+"readyz"); status != 503 || body != "draining\n" {
		t.Errorf("readyz: %d %s", status, body)
	}
	if status, _ := fetch(t, r.url+"healthz"); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	if message := greet(t, r, nil, wire.Hello{Version: wire.Version}); message != (wire.Close{Code: wire.Draining, Text: "the server is going away"}) {
		t.Errorf("a new session is answered with %+v", message)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(stream); err != nil || len(rest) != 0 {
		t.Errorf("the end: %q, error %v", rest, err)
	}
	stream.Close()
	if code := <-r.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(r.stderr.String(), "drain ended early") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
}

// A stream that does not end keeps the server no longer than it was told.
func TestDrainTimeout(t *testing.T) {
	r := start(t, "--demo", "--drain-timeout", "100ms")
	page := connect(t, r, "")
	stream, _ := page.open(t, "127.0.0.1", demoPort(t, r, "echo"))
	defer stream.Close()
	r.ask()
	if code := <-r.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(r.stderr.String(), "drain ended early") {
		t.Errorf("stderr:\n%s", r.stderr)
	}
	_, err := stream.Read(make([]byte, 1))
	if failed := new(wire.Error); !errors.As(err, &failed) || failed.Code != wire.Draining {
		t.Errorf("the stream ends with %v, want draining", err)
	}
}
