package oplog_test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/wire"
)

// linesOf counts the lines of a finished server's log that are about refusals.
func linesOf(s *product.Server, parts ...string) (n int) {
	for _, line := range s.Log() {
		for _, part := range parts {
			if strings.Contains(line, part) {
				n++
				break
			}
		}
	}
	return n
}

// atMost fails where a log of refusals has more lines than two a second and kind.
func atMost(t *testing.T, lines int, kinds int, took time.Duration) {
	t.Helper()
	if most := 2 * kinds * (int(took/time.Second) + 2); lines > most || lines == 0 {
		t.Errorf("%d lines in %s, want at most %d", lines, took, most)
	}
}

// A program that opens thousands of sockets that the policy forbids writes few lines, and the
// metric has all of them.
func TestRefusedStreamsFillNoLog(t *testing.T) {
	const streams = 10_000
	s := product.Start(t, "--admin", "127.0.0.1:0")
	c := s.Dial(t)
	target := netip.MustParseAddrPort("10.0.0.1:80")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	began := time.Now()
	for range streams {
		stream, err := c.Open(product.Request(target))
		if err != nil {
			t.Fatal(err)
		}
		if result, err := stream.Result(ctx); err != nil || result.Code != wire.Denied {
			t.Fatalf("%+v, %v", result, err)
		}
		_ = stream.Close()
	}
	took := time.Since(began)
	if n := metric(t, s.AdminURL(), `sockmux_refusals_total{reason="denied",stage="stream"}`); n != streams {
		t.Errorf("%d refusals are counted, want %d", n, streams)
	}
	s.Signal(syscall.SIGTERM)
	s.Wait()
	atMost(t, linesOf(s, `"code":"denied"`, `"more refusals"`), 1, took)
}

// A stranger whose credentials are wrong again and again writes few lines.
func TestRefusedHellosFillNoLog(t *testing.T) {
	const hellos = 2000
	tokens := filepath.Join(t.TempDir(), "tokens")
	_, line, _ := product.Run(t, "token", "new", "alice")
	fields := strings.Fields(line)
	if err := os.WriteFile(tokens, []byte(strings.Join(fields[1:], " ")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := product.Start(t, "--admin", "127.0.0.1:0", "--token-file", tokens)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dial := product.Transport(s.ConnectURL())
	hello := wire.Hello{Version: wire.Version, Token: "smx_wrong"}.Append(nil)
	began := time.Now()
	for range hellos {
		c, err := dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(ctx, hello); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(ctx); err != nil {
			t.Fatal(err)
		}
		_ = c.Close(0, "")
	}
	took := time.Since(began)
	if n := metric(t, s.AdminURL(), `sockmux_refusals_total{reason="unauthorized",stage="session"}`); n != hellos {
		t.Errorf("%d refusals are counted, want %d", n, hellos)
	}
	s.Signal(syscall.SIGTERM)
	s.Wait()
	atMost(t, linesOf(s, `"session refused"`, `"more refusals"`), 1, took)
}

// What a client claims in a reset is no refusal of the server.
func TestClaimsOfAClientAreNoRefusals(t *testing.T) {
	s := product.Start(t, "--admin", "127.0.0.1:0", "--allow", "127.0.0.1")
	c := s.Dial(t, func(config *client.Config) { config.Bare = false })
	echo := product.Echo(t)
	claims := []wire.Code{wire.Unauthorized, wire.Denied, wire.Limit, wire.Expired, wire.Draining}
	const each = 50
	for range each {
		for _, claim := range claims {
			stream, err := c.Open(product.Request(echo))
			if err != nil {
				t.Fatal(err)
			}
			if err := stream.Reset(claim, "says the client"); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Close()
	s.WaitLog(`"msg":"session ended"`)
	text := scrape(t, s.AdminURL())
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "sockmux_refusals_total{") {
			t.Errorf("counted: %s", line)
		}
	}
}
