//go:build !js

package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/websocket"
)

// proxy answers each request with the same bytes, and reports on ended when the client has closed.
func proxy(t *testing.T, answer string) (url string, ended chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan error, 1)
	var serving sync.WaitGroup
	serving.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return // the test has ended
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second)) // fails only on a closed connection
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			ended <- err
			return
		}
		_, _ = io.WriteString(conn, answer) // the client may have closed
		_, err = io.Copy(io.Discard, conn)
		ended <- err
	})
	t.Cleanup(func() {
		listener.Close()
		serving.Wait()
	})
	return "ws://" + listener.Addr().String() + "/v1/connect", ended
}

// TestDialRefused: the error of a refused upgrade says what was answered, and net/http writes
// nothing of it to the program's log.
func TestDialRefused(t *testing.T) {
	answer := func(status, kind, body string) string {
		return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", status, kind, len(body), body)
	}
	for name, c := range map[string]struct{ answer, want string }{
		"sockmux":   {answer("426 Upgrade Required", "text/plain; charset=utf-8", "the proxy must pass Upgrade and Connection on\n"), "refused with status 426 Upgrade Required: the proxy must pass Upgrade and Connection on"},
		"firewall":  {answer("403 Forbidden", "text/html", "<h1>Blocked</h1>"), "the answer has status 403 Forbidden and is not sockmux's"},
		"control":   {answer("400 Bad Request", "text/plain", "\x1b[2Jgone"), "the answer has status 400 Bad Request and is not sockmux's"},
		"long":      {answer("503 Service Unavailable", "text/plain", strings.Repeat("x", 10_000)), "the answer has status 503"},
		"talkative": {answer("403 Forbidden", "text/html", "no") + "HTTP/1.1 400 Bad Request\r\n\r\n", "the answer has status 403"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			defer log.SetOutput(log.Writer())
			log.SetOutput(&logged)
			url, ended := proxy(t, c.answer)
			conn, err := websocket.Dial(t.Context(), url, nil, nil)
			if conn != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the refused connection was kept: %v", err)
			}
			if logged.Len() > 0 {
				t.Errorf("written to the log: %s", &logged)
			}
		})
	}
}

// counting counts the writes of a connection.
type counting struct {
	net.Conn
	writes *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// TestLongMessageTakesFewWrites: the library writes it in pieces of 4 KiB.
func TestLongMessageTakesFewWrites(t *testing.T) {
	var writes atomic.Int64
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return counting{conn, &writes}, err
	}}
	c, err := websocket.Dial(t.Context(), serve(t, echo), &http.Client{Transport: transport}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(0, "")
	want := bytes.Repeat([]byte{3}, 512<<10)
	before := writes.Load()
	if err := c.Send(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if n := writes.Load() - before; n > 9 {
		t.Errorf("%d writes for 512 KiB, want one for each 64 KiB", n)
	}
	if got, err := c.Receive(t.Context()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
}

// TestDialRefusedByServer: the assembled server's own sentences reach a native client.
func TestDialRefusedByServer(t *testing.T) {
	s := product.Start(t)
	_, err := websocket.Dial(t.Context(), s.ConnectURL(), nil, http.Header{"Origin": {"https://evil.example"}})
	if want := "refused with status 403 Forbidden: origin https://evil.example may not connect"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}
