package resume_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func open(t *testing.T, c *client.Client, target netip.AddrPort) *mux.Stream {
	t.Helper()
	return product.Open(t, c, target)
}

// TestUselessProxy: a proxy on the way holds the server's answers back, or passes no upgrade.
// A program that opens a socket gets one error that says so, and the session does not go on
// being lost and resumed.
func TestUselessProxy(t *testing.T) {
	const status = "HTTP/1.1 %\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	for name, conduct := range map[string]fault.Conduct{
		"holds answers back":           {Hold: fault.HoldAnswers},
		"holds everything back":        {Hold: fault.HoldEverything},
		"answers nothing":              {Swallow: true},
		"strips the upgrade":           {Answer: strings.Replace(status, "%", "426 Upgrade Required", 1)},
		"answers in the server's name": {Answer: strings.Replace(status, "%", "200 OK", 1)},
	} {
		for _, keepalive := range []string{"1s", "10s"} {
			t.Run(name+", keepalive "+keepalive, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, "--keepalive", keepalive)
				w.proxy.Set(conduct)
				c, seen := w.client()
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				began := time.Now()
				s, err := product.Opened(ctx, c, w.echo)
				if err == nil {
					_, err = s.Read(make([]byte, 1)) // the answer to the open came when the connection ended
				}
				if !errors.Is(err, wire.NewError(wire.NotConnected, "")) {
					t.Errorf("after %s: %v; states:%s", time.Since(began), err, seen)
				}
				eventually(t, "the session is closed", func() bool { return c.State().Phase == client.Closed })
				if opens := seen.count(client.Open); opens > 1 {
					t.Errorf("the session was open %d times; states:%s", opens, seen)
				}
				t.Logf("after %s: %v", time.Since(began).Round(time.Millisecond), err)
			})
		}
	}
}
