package operate_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
)

// segments are the lengths of the segments that a connection sends at most, and of those that
// it has received.
func segments(t *testing.T, conn net.Conn) (sent, received int) {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return int(info.Snd_mss), int(info.Rcv_mss)
}

// With --tcp-mss both ends send segments of that length at most, also of a session's transport.
func TestSegmentsAreBounded(t *testing.T) {
	const timestamps = 12 // bytes of each segment that go to TCP's own option
	for _, test := range []struct {
		flags []string
		most  int
	}{{nil, 1 << 20}, {[]string{"--tcp-mss", "1200"}, 1200}} {
		s := product.Start(t, append(test.flags, "--allow", "127.0.0.1")...)
		var last net.Conn
		transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			last = conn
			return conn, err
		}}
		c := s.Dial(t, func(config *client.Config) {
			config.Dial = func(ctx context.Context) (link.Carrier, error) {
				c, err := websocket.Dial(ctx, s.ConnectURL(), &http.Client{Transport: transport}, nil)
				if err != nil {
					return nil, err
				}
				return c, nil
			}
		})
		stream := product.Open(t, c, product.Echo(t))
		say(t, stream, strings.Repeat("x", 100_000))
		sent, received := segments(t, last)
		if test.flags == nil {
			if sent <= 1200 || received <= 1200 {
				t.Errorf("without the flag: the client sends segments of %d bytes, the server of %d", sent, received)
			}
			continue
		}
		if sent > test.most || sent < test.most-2*timestamps || received > test.most {
			t.Errorf("%q: the client sends segments of %d bytes, the server of %d", test.flags, sent, received)
		}
	}
}
