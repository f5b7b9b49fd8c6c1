package operate_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/namespace"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
)

// A path that swallows packets of more than 1300 bytes holds a session up for ever, and with
// --tcp-mss not for a packet.
func TestPathThatSwallowsLongPackets(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		path := namespace.NewPath(t, 1300)
		echo := product.Echo(t)
		sent := bytes.Repeat([]byte("0123456789"), 10_000)
		// start returns what becomes of bytes that are sent through an echo.
		start := func(flags ...string) <-chan error {
			s := product.Start(t, append(flags, "--listen", path.Near.String()+":0", "--insecure-no-auth", "--allow", "127.0.0.1")...)
			transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return path.Dial(s.Addr()) }}
			c := s.Dial(t, func(config *client.Config) {
				config.Dial = func(ctx context.Context) (link.Carrier, error) {
					return websocket.Dial(ctx, s.ConnectURL(), &http.Client{Transport: transport}, nil)
				}
			})
			stream := product.Open(t, c, echo)
			done := make(chan error, 1)
			go func() { // ends with the client
				_, err := stream.Write(sent)
				got := make([]byte, len(sent))
				if err == nil {
					_, err = io.ReadFull(stream, got)
				}
				if err == nil && !bytes.Equal(got, sent) {
					err = io.ErrUnexpectedEOF
				}
				done <- err
			}()
			return done
		}
		select {
		case err := <-start("--tcp-mss", "1200"):
			if err != nil || path.Dropped() > 0 {
				t.Errorf("with --tcp-mss: error %v, %d packets swallowed", err, path.Dropped())
			}
		case <-time.After(patience):
			t.Fatalf("with --tcp-mss the session hangs; %d packets swallowed", path.Dropped())
		}
		// Without it the same packet is sent again and again.
		hung := start()
		expired := time.After(patience)
		for tick := time.Tick(20 * time.Millisecond); path.Dropped() < 4; {
			select {
			case err := <-hung:
				t.Fatalf("the path swallows nothing that is needed: error %v", err)
			case <-tick:
			case <-expired:
				t.Fatalf("%d packets swallowed", path.Dropped())
			}
		}
		select {
		case err := <-hung:
			t.Errorf("the bytes arrived though packets were swallowed: error %v", err)
		default:
		}
	})
}
