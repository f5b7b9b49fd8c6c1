package websocket_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/shared/websocket"
)

// sending has a carrier send messages of the lengths that are asked for, and tells the
// socket below it.
func sending(t *testing.T, lengths <-chan int, sockets chan<- *net.TCPConn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, func(conn net.Conn) (*net.TCPConn, bool) {
			tcp, ok := listener.TCP(conn)
			sockets <- tcp
			return tcp, ok
		})
		if err != nil {
			return // the client sees it
		}
		for length := range lengths {
			if err := c.Send(context.Background(), make([]byte, length)); err != nil {
				t.Error(err)
			}
		}
		_ = c.Close(0, "") // the test is over
	}
}

// What the system is given follows the messages of the carrier, over TLS too.
func TestUnsentFollowsMessages(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){"plain": (*httptest.Server).Start, "TLS": (*httptest.Server).StartTLS} {
		t.Run(name, func(t *testing.T) {
			lengths, sockets := make(chan int), make(chan *net.TCPConn, 1)
			s := httptest.NewUnstartedServer(sending(t, lengths, sockets))
			start(s)
			defer s.Close()
			defer close(lengths)
			c, err := websocket.Dial(t.Context(), s.URL, s.Client(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close(0, "") }() // the server may have ended it
			tcp := <-sockets
			for _, step := range []struct{ length, times, want int }{
				{1 << 10, 3, 128 << 10},
				{512 << 10, 1, 2 << 20},
				{64 << 10, 32, 256 << 10},
				{16 << 10, 16, 128 << 10},
			} {
				for range step.times {
					lengths <- step.length
					if message, err := c.Receive(t.Context()); err != nil || len(message) != step.length {
						t.Fatalf("%d bytes: got %d, %v", step.length, len(message), err)
					}
				}
				if limit := servertest.Unsent(t, tcp); limit != step.want {
					t.Errorf("after %d messages of %d bytes: %d KiB, want %d", step.times, step.length, limit>>10, step.want>>10)
				}
			}
		})
	}
}
