package command

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

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// Tunnel is a native client with one session.
type Tunnel struct {
	*mux.Session
	Drained chan time.Duration // what DRAIN said
}

// Greet says hello on a connection of its own and returns the answer.
func Greet(t *testing.T, r *Running, header http.Header, hello wire.Hello) wire.Message {
	t.Helper()
	c, answer := answered(t, r, header, hello)
	defer c.Close(0, "")
	return answer
}

// answered says hello on a connection of its own.
func answered(t *testing.T, r *Running, header http.Header, hello wire.Hello) (link.Carrier, wire.Message) {
	t.Helper()
	c, err := websocket.Dial(t.Context(), r.URL+wire.ConnectPath, nil, header)
	if err != nil {
		t.Fatal(err)
	}
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
	return c, message
}

// Connect opens a session as a page of that origin does; it ends with the test.
func Connect(t *testing.T, r *Running, origin string) *Tunnel {
	t.Helper()
	return ConnectAs(t, r, origin, "")
}

// ConnectAs is Connect with a token.
func ConnectAs(t *testing.T, r *Running, origin, token string) *Tunnel {
	t.Helper()
	header := http.Header{}
	if origin != "" {
		header.Set("Origin", origin)
	}
	return ConnectWith(t, r, header, token)
}

// ConnectWith is ConnectAs with the headers of the upgrade.
func ConnectWith(t *testing.T, r *Running, header http.Header, token string) *Tunnel {
	t.Helper()
	c, message := answered(t, r, header, wire.Hello{Version: wire.Version, Agent: "test", Token: token})
	if welcome, ok := message.(wire.Welcome); !ok || welcome.Version != wire.Version || !strings.HasPrefix(welcome.Agent, "sockmux/") {
		t.Fatalf("answer %+v", message)
	}
	l := link.New(link.Config{})
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = l.Run(context.Background(), c, 0) }) // ends with the link; tests see why by their streams
	tn := &Tunnel{Drained: make(chan time.Duration, 1)}
	var err error
	tn.Session, err = mux.Client(l, mux.Config{OnDrain: func(in time.Duration, _ string) { tn.Drained <- in }})
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

// Dial opens a stream and waits for the result.
func (tn *Tunnel) Dial(t *testing.T, host string, port uint16) (*mux.Stream, wire.Result) {
	t.Helper()
	stream, err := tn.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost(host), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	result, err := stream.Result(t.Context())
	if failed := new(wire.Error); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return stream, result
}

// DemoPort reads the playground's list.
func DemoPort(t *testing.T, r *Running, name string) uint16 {
	t.Helper()
	_, body := Fetch(t, r.URL+"demo.json")
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

// Say sends a text through an echo and wants it back.
func Say(t *testing.T, stream *mux.Stream, text string) {
	t.Helper()
	if _, err := io.WriteString(stream, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(stream, got); err != nil || string(got) != text {
		t.Fatalf("echo %q, error %v, want %q", got, err, text)
	}
}
