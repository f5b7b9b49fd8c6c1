//go:build !js

package websocket_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	coder "github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// stream returns a client's WebSocket and the ByteStream at its other end, with the
// subprotocol "bytes".
func stream(t *testing.T) (*coder.Conn, *websocket.ByteStream) {
	t.Helper()
	accepted, over := make(chan *websocket.ByteStream, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := websocket.AcceptBytes(w, r, "bytes", nil)
		if err != nil {
			close(accepted)
			return
		}
		s.Admit()
		accepted <- s
		<-over
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	client, _, err := coder.Dial(t.Context(), server.URL, &coder.DialOptions{Subprotocols: []string{"other", "bytes"}})
	if err != nil {
		t.Fatal(err)
	}
	s, ok := <-accepted
	if !ok {
		t.Fatal("the upgrade failed")
	}
	t.Cleanup(func() { _ = s.Close(0, "") })
	t.Cleanup(func() { _ = client.CloseNow() }) // it may be closed
	return client, s
}

// TestByteStream reads messages of any length as one stream, whatever the reader takes at
// once.
func TestByteStream(t *testing.T) {
	client, s := stream(t)
	sizes := []int{0, 1, 11, 4096, 0, 100_000, 3 << 20} // the last is longer than any message of the other route
	go func() {
		n := byte(0)
		for _, size := range sizes {
			b := make([]byte, size)
			for i := range b {
				b[i] = n
				n++
			}
			if err := client.Write(context.Background(), coder.MessageBinary, b); err != nil {
				t.Errorf("write: %v", err)
			}
		}
		_ = client.Close(coder.StatusNormalClosure, "")
	}()
	total, want := 0, byte(0)
	for b := make([]byte, 7000); ; {
		n, err := s.Read(t.Context(), b)
		for _, got := range b[:n] {
			if got != want {
				t.Fatalf("byte %d is %d, want %d", total, got, want)
			}
			want++
			total++
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := 1 + 11 + 4096 + 100_000 + 3<<20; total != want {
		t.Errorf("%d bytes, want %d", total, want)
	}
}

// TestByteStreamEnds tells an end without an error from others.
func TestByteStreamEnds(t *testing.T) {
	for what, test := range map[string]struct {
		end   func(*coder.Conn)
		clean bool
	}{
		"1000":    {func(c *coder.Conn) { _ = c.Close(coder.StatusNormalClosure, "") }, true},
		"1001":    {func(c *coder.Conn) { _ = c.Close(coder.StatusGoingAway, "") }, true},
		"no code": {func(c *coder.Conn) { _ = c.Close(coder.StatusNoStatusRcvd, "") }, true},
		"1002":    {func(c *coder.Conn) { _ = c.Close(coder.StatusProtocolError, "") }, false},
		"4001":    {func(c *coder.Conn) { _ = c.Close(4001, "") }, false},
		"cut":     {func(c *coder.Conn) { _ = c.CloseNow() }, false},
	} {
		client, s := stream(t)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			test.end(client)
		}()
		if _, err := s.Read(t.Context(), make([]byte, 1)); (err == io.EOF) != test.clean || err == nil {
			t.Errorf("%s: %v", what, err)
		}
		_ = s.Close(0, "") // the client waits for it
		<-ended
	}
}

// TestByteStreamText ends with 1003, as Conn does.
func TestByteStreamText(t *testing.T) {
	client, s := stream(t)
	if err := client.Write(t.Context(), coder.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	code := make(chan coder.StatusCode, 1)
	go func() {
		_, _, err := client.Read(context.Background())
		code <- coder.CloseStatus(err)
	}()
	if _, err := s.Read(t.Context(), make([]byte, 1)); !errors.Is(err, wire.NewError(wire.Protocol, "")) {
		t.Errorf("%v, want protocol", err)
	}
	if got := <-code; got != coder.StatusUnsupportedData {
		t.Errorf("closed with %d", got)
	}
}

// TestByteStreamSends sends messages, and ends with a code.
func TestByteStreamSends(t *testing.T) {
	client, s := stream(t)
	go func() {
		if err := s.Send(context.Background(), []byte("hello")); err != nil {
			t.Errorf("send: %v", err)
		}
		s.Dismiss()
		_ = s.Close(4020, "going away")
	}()
	if kind, message, err := client.Read(t.Context()); err != nil || kind != coder.MessageBinary || string(message) != "hello" {
		t.Errorf("%v %q %v", kind, message, err)
	}
	if _, _, err := client.Read(t.Context()); coder.CloseStatus(err) != 4020 {
		t.Errorf("%v, want 4020", err)
	}
}
