package listener_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
)

// crowded starts a server whose plain connections are within a pool of max places.
func crowded(t *testing.T, max int, config listener.Config) (*places.Pool, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pool := places.New(max)
	server := &http.Server{
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) }),
		ConnState: listener.NewConnections(pool, config.ProxyProtocol).State,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener.Wrap(l, config)) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		servertest.Eventually(t, 10*time.Second, "all places are free", func() bool { return pool.Stats().Count == 0 })
	})
	return pool, l.Addr().String()
}

// from dials from an address of loopback.
func from(t *testing.T, source, address string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}}
	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// get sends a request and reads the answer's body.
func get(t *testing.T, conn net.Conn, before string) (string, error) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, before+"GET / HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// ended waits until the other end has closed the connection.
func ended(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the connection goes on: %v", err)
	}
}

func TestIdleConnectionsMakeRoom(t *testing.T) {
	pool, address := crowded(t, 4, listener.Config{})
	var idle []net.Conn
	for _, source := range []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"} {
		conn := from(t, source, address)
		if _, err := get(t, conn, ""); err != nil {
			t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	for range 4 {
		if _, err := get(t, from(t, "127.0.0.6", address), ""); err != nil {
			t.Error(err)
		}
	}
	if s := pool.Stats(); s.Count > 4 || s.Evicted == 0 {
		t.Errorf("%d connections in 4 places, %d ended", s.Count, s.Evicted)
	}
	ended(t, idle[0])
}

func TestProxiedConnectionsCountByClient(t *testing.T) {
	trusted, err := listener.ParseProxy("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	pool, address := crowded(t, 8, listener.Config{ProxyProtocol: listener.Proxies{trusted}})
	var flood []net.Conn
	for range 6 {
		conn := from(t, "127.0.0.1", address)
		if _, err := get(t, conn, "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"); err != nil {
			t.Fatal(err)
		}
		flood = append(flood, conn)
	}
	body, err := get(t, from(t, "127.0.0.1", address), "PROXY TCP4 192.0.2.9 192.0.2.2 1000 80\r\n")
	if err != nil || body != "192.0.2.9:1000" {
		t.Errorf("a neighbor behind the proxy: %q, %v", body, err)
	}
	if s := pool.Stats(); s.Count != 5 || s.Evicted != 2 {
		t.Errorf("%+v: want half of the places for one client behind the proxy, and one for another", s)
	}
	ended(t, flood[0])
}

// failing is a listener that cannot accept.
type failing struct{ net.Listener }

func (failing) Accept() (net.Conn, error) { return nil, errors.New("accept4: too many open files") }

func TestFailingAcceptsAreToldOnce(t *testing.T) {
	var log strings.Builder
	relieved := 0
	l := listener.Report(failing{}, slog.New(slog.NewTextHandler(&log, nil)), func() bool { relieved++; return true })
	for range 100 {
		if _, err := l.Accept(); err == nil {
			t.Fatal("a connection from nowhere")
		}
	}
	text := log.String()
	lines := strings.Count(text, "\n")
	if lines != 1 || !strings.Contains(text, "LimitNOFILE") || !strings.Contains(text, "too many open files") {
		t.Errorf("%d lines:\n%s", lines, text)
	}
	if relieved != 100 {
		t.Errorf("relieved %d times, want 100", relieved)
	}
}
