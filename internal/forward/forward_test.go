package forward_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"golang.org/x/net/proxy"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/forward"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// serve serves local connections with a handler through a server until the test's end.
func serve(t *testing.T, handler func(*sockmux.Dialer) forward.Handler) (address string) {
	t.Helper()
	server := product.Start(t, "--allow", "127.0.0.1")
	dialer := &sockmux.Dialer{URL: server.URL()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- forward.Serve(ctx, listener.(*net.TCPListener), handler(dialer)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
		_ = dialer.Close()
	})
	return listener.Addr().String()
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// wantAnswer dials a service of upper, writes, ends the direction, and checks what comes back.
func wantAnswer(t *testing.T, dial func() (net.Conn, error)) {
	t.Helper()
	conn, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "question"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(conn); string(all) != "QUESTION" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
}

// upper answers behind the end of what it gets.
func upper(t *testing.T) string {
	return product.Target(t, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.ToUpper(all))
	}).String()
}

func TestForward(t *testing.T) {
	target := upper(t)
	address := serve(t, func(d *sockmux.Dialer) forward.Handler { return forward.To(d, target, quiet()) })
	wantAnswer(t, func() (net.Conn, error) { return net.Dial("tcp", address) })
}

// TestForwardRefused: a local program sees a reset, no clean end.
func TestForwardRefused(t *testing.T) {
	target := servertest.Refusing(t)
	address := serve(t, func(d *sockmux.Dialer) forward.Handler { return forward.To(d, target, quiet()) })
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestSOCKS(t *testing.T) {
	target := upper(t)
	address := serve(t, func(d *sockmux.Dialer) forward.Handler { return forward.SOCKS(d, quiet()) })
	dialer, err := proxy.SOCKS5("tcp", address, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, func() (net.Conn, error) { return dialer.Dial("tcp", target) })
	for refused, want := range map[string]string{servertest.Refusing(t): "connection refused", "127.0.0.2:80": "connection not allowed by ruleset"} {
		if _, err := dialer.Dial("tcp", refused); err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%s: %v, want %q", refused, err, want)
		}
	}
}
