package product

import (
	"context"
	"net/http"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// Dial returns a native client of the server, which is closed at the test's end. The changes
// are applied to its settings first.
func (s *Server) Dial(t testing.TB, changes ...func(*client.Config)) *client.Client {
	t.Helper()
	return Dial(t, s.ConnectURL(), changes...)
}

// Dial returns a native client as Server.Dial does, for any URL: that of a proxy.
func Dial(t testing.TB, url string, changes ...func(*client.Config)) *client.Client {
	t.Helper()
	config := client.Config{Dial: Transport(url), Bare: true}
	for _, change := range changes {
		change(&config)
	}
	c := client.New(config)
	t.Cleanup(c.Close)
	return c
}

// Transport returns a client.Config.Dial that opens a WebSocket to a URL, each over a TCP
// connection of its own.
func Transport(url string) func(context.Context) (link.Carrier, error) {
	return func(ctx context.Context) (link.Carrier, error) {
		transport := &http.Transport{DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		return websocket.Dial(ctx, url, &http.Client{Transport: transport}, nil)
	}
}

// Request returns the request for a TCP connection to an address.
func Request(target netip.AddrPort) wire.Request {
	return wire.Request{Kind: wire.TCP, Host: wire.HostOf(target.Addr()), Port: target.Port()}
}

// Opened opens a stream to a target and waits for the result. The caller must close or reset
// the stream. Any goroutine may call it.
func Opened(ctx context.Context, c *client.Client, target netip.AddrPort) (*mux.Stream, error) {
	s, err := c.Open(Request(target))
	if err != nil {
		return nil, err
	}
	result, err := s.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Open is Opened. It fails the test where that fails.
func Open(t testing.TB, c *client.Client, target netip.AddrPort) *mux.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := Opened(ctx, c, target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Answer opens a stream, closes it and returns what the server answered. It fails the test where
// there is no answer.
func Answer(t testing.TB, c *client.Client, host string, port uint16) wire.Result {
	t.Helper()
	s, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost(host), Port: port})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := s.Result(ctx)
	if err != nil {
		t.Fatalf("%s:%d: %v", host, port, err)
	}
	return r
}
