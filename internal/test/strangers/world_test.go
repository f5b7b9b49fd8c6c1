package strangers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// Networks of loopback, from which the tests connect.
const (
	hostile = "127.0.0.2"
	honest  = "127.0.0.3"
)

// patience is after how long something is not going to happen.
const patience = time.Minute

// source dials from one address, and keeps the connections so that they can be cut.
type source struct {
	dialer net.Dialer

	mu    sync.Mutex
	conns []net.Conn
}

func newSource(t testing.TB, address string) *source {
	t.Helper()
	s := &source{dialer: net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}}
	t.Cleanup(s.cut)
	return s
}

// dial opens a TCP connection.
func (s *source) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := s.dialer.DialContext(ctx, "tcp4", address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, conn)
	return conn, nil
}

// cut ends all connections with a reset.
func (s *source) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		_ = conn.(*net.TCPConn).SetLinger(0) // it may have ended
		_ = conn.Close()                     // as above
	}
	s.conns = nil
}

// carrier opens a WebSocket to a server.
func (s *source) carrier(ctx context.Context, url string) (link.Carrier, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, address string) (net.Conn, error) { return s.dial(ctx, address) },
	}
	defer transport.CloseIdleConnections()
	return websocket.Dial(ctx, url, &http.Client{Transport: transport}, nil)
}

// client lets a client connect from the source.
func (s *source) client(server *product.Server) func(*client.Config) {
	return func(c *client.Config) {
		c.Dial = func(ctx context.Context) (link.Carrier, error) {
			conn, err := s.carrier(ctx, server.ConnectURL())
			if err != nil {
				return nil, err
			}
			return conn, nil
		}
	}
}

// abandon opens a session and leaves it without a word: the server keeps it.
func (s *source) abandon(ctx context.Context, server *product.Server) error {
	c, err := s.carrier(ctx, server.ConnectURL())
	if err != nil {
		return err
	}
	defer c.Close(0, "")
	hello := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume}
	if err := c.Send(ctx, hello.Append(nil)); err != nil {
		return err
	}
	message, err := c.Receive(ctx)
	if err != nil {
		return err
	}
	answer, err := wire.Decode(message)
	if err != nil {
		return err
	}
	if _, ok := answer.(wire.Welcome); !ok {
		return fmt.Errorf("answer %+v", answer)
	}
	return nil
}

// upgrade opens a WebSocket by hand, and says nothing over it.
func (s *source) upgrade(ctx context.Context, server *product.Server) (net.Conn, error) {
	return s.upgradeTo(ctx, server, front{"connect", "sockmux.v1"})
}

// front is a route for clients, with its subprotocol.
type front struct{ route, subprotocol string }

// foreign are the fronts where a session needs no HELLO.
var foreign = []front{{"yamux", "yamux"}, {"posix", "binary"}}

// upgradeTo is upgrade at any front.
func (s *source) upgradeTo(ctx context.Context, server *product.Server, f front) (net.Conn, error) {
	conn, err := s.dial(ctx, server.Addr())
	if err != nil {
		return nil, err
	}
	request := "GET /v1/" + f.route + " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Protocol: " + f.subprotocol + "\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, err
	}
	answer := make([]byte, len("HTTP/1.1 101"))
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // fails only after the end
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	if string(answer) != "HTTP/1.1 101" {
		return nil, fmt.Errorf("answer %q", answer)
	}
	return conn, nil
}

// echoes sends a message over a stream and compares what comes back.
func echoes(s *mux.Stream, size int) error {
	done := make(chan error, 1)
	message := bytes.Repeat([]byte("sockmux "), size/8)
	go func() { // received from below
		_, err := s.Write(message)
		done <- err
	}()
	answer := make([]byte, len(message))
	_, err := io.ReadFull(s, answer)
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	if !bytes.Equal(answer, message) {
		return errors.New("the answer differs from the message")
	}
	return nil
}

// visit opens a session, uses it and leaves.
func visit(t *testing.T, server *product.Server, from *source, echo netip.AddrPort) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config := client.Config{Bare: true}
	from.client(server)(&config)
	c := client.New(config)
	defer c.Close()
	stream, err := product.Opened(ctx, c, echo)
	if err != nil {
		return err
	}
	if err := echoes(stream, 1<<10); err != nil {
		return err
	}
	return stream.Close()
}
