package sockmux_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// untilProbe returns when the next keep-alive probe of the IPv4 socket at a local port is due,
// as the system tells in /proc/net/tcp (proc(5)); 0: there is none.
func untilProbe(t *testing.T, port int) time.Duration {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) < 6 || !strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		when, isKeepAlive := strings.CutPrefix(fields[5], "02:")
		ticks, err := strconv.ParseInt(when, 16, 64)
		if isKeepAlive && err == nil {
			return time.Duration(ticks) * time.Second / 100 // USER_HZ
		}
	}
	return 0
}

// TestKeepAliveOfTarget: the server's socket has the period of SetKeepAlivePeriod, and its own
// again behind SetKeepAlive(false).
func TestKeepAliveOfTarget(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	conn, err := dialerFor(t, server).Dial("tcp4", product.Echo(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := conn.(*sockmux.Conn)
	port := c.LocalAddr().(*net.TCPAddr).Port
	const period, own = 5 * time.Second, 30 * time.Second // the server's own is a minute
	set := func(what string, apply func() error, ok func(time.Duration) bool) {
		t.Helper()
		if err := apply(); err != nil {
			t.Fatal(err)
		}
		// Options are applied in the order of what the stream sends.
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		servertest.Eventually(t, patience, what, func() bool { return ok(untilProbe(t, port)) })
	}
	short := func(d time.Duration) bool { return d > 0 && d <= period }
	long := func(d time.Duration) bool { return d > own }
	set("a probe within the period", func() error { return c.SetKeepAlivePeriod(period) }, short)
	set("the server's own period", func() error { return c.SetKeepAlive(false) }, long)
	set("the server's own period still", func() error { return c.SetKeepAlivePeriod(period) }, long)
	set("a probe within the period again", func() error { return c.SetKeepAlive(true) }, short)
}
