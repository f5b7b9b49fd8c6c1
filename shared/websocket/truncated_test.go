//go:build !js

package websocket_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/shared/websocket"
)

// A binary frame of 200 bytes, from the client with its mask, from the server without.
var (
	bare  = append([]byte{0x82, 126, 0, 200}, make([]byte, 200)...)
	frame = append([]byte{0x82, 0x80 | 126, 0, 200, 0, 0, 0, 0}, make([]byte, 200)...)
)

// TestTruncatedMessage: a connection that ends in the middle of a frame has lost that
// message; no part of it is given out as the whole.
func TestTruncatedMessage(t *testing.T) {
	for _, cut := range []int{1, 4, 7, 8, 9, 100, 207} {
		received := make(chan error, 1)
		url := serve(t, func(c *websocket.Conn) {
			message, err := c.Receive(context.Background())
			if err == nil {
				t.Errorf("cut after %d bytes: a message of %d bytes", cut, len(message))
			}
			received <- err
		})
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		const upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sockmux.v1\r\n\r\n"
		if _, err := conn.Write(append([]byte(upgrade), frame[:cut]...)); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		<-received
		_ = conn.Close() // the server has ended it
	}
}

// TestTruncatedAnswer is the same at the end that dials.
func TestTruncatedAnswer(t *testing.T) {
	for _, cut := range []int{1, 3, 4, 5, 100, 203} {
		url := answering(t, bare[:cut])
		c, err := websocket.Dial(t.Context(), url, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if message, err := c.Receive(t.Context()); err == nil {
			t.Errorf("cut after %d bytes: a message of %d bytes", cut, len(message))
		}
		_ = c.Close(0, "") // it is lost
	}
}

// answering is a server that upgrades by hand, writes the bytes and ends.
func answering(t *testing.T, b []byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			t.Error(err)
			return
		}
		const suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3
		sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + suffix))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sockmux.v1\r\n"+
			"Sec-WebSocket-Accept: %s\r\n\r\n%s", base64.StdEncoding.EncodeToString(sum[:]), b)
	})
	t.Cleanup(func() {
		_ = listener.Close() // ends a server that was not reached
		served.Wait()
	})
	return "http://" + listener.Addr().String()
}
