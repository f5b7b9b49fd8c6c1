package metrics_test

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// The assembled server tells how near its limits are, and why dials fail.
func TestFiguresOfTheProduct(t *testing.T) {
	s := product.Start(t, "--admin", "127.0.0.1:0", "--allow", "127.0.0.1", "--max-sessions", "7", "--max-parked", "3", "--max-memory", "64MiB")
	c := s.Dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := c.Open(product.Request(netip.MustParseAddrPort(servertest.Refusing(t))))
	if err != nil {
		t.Fatal(err)
	}
	if result, err := stream.Result(ctx); err != nil || result.Code != wire.Refused {
		t.Fatalf("%+v, %v", result, err)
	}
	response, err := http.Get(s.AdminURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`sockmux_sessions 1`, `sockmux_sessions_max 7`, `sockmux_sessions_parked_max 3`, `sockmux_session_memory_max_bytes 6.7108864e+07`,
		`sockmux_dial_failures_total{code="refused"} 1`, `sockmux_log_lines_dropped_total{cause="queue"} 0`,
	} {
		if !strings.Contains(string(text), "\n"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, name := range []string{"sockmux_target_connections_max", `sockmux_connections_max{kind="http"}`, `sockmux_connections_max{kind="websocket"}`} {
		if !strings.Contains(string(text), "\n"+name+" ") {
			t.Errorf("missing: %s", name)
		}
	}
}
