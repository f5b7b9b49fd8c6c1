package strangers_test

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/namespace"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// threads returns how many threads a process has.
func threads(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^Threads:\s+(\d+)$`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no threads in %s", status)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Lookups that no server answers take no threads, whatever the system's hosts line says: where
// threads run out, Go aborts. One session cannot keep others from looking names up.
func TestLookupsTakeNoThreads(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		const lookups, most = 600, 40
		namespace.Replace(t, "/etc/nsswitch.conf", "hosts: files myhostname resolve [!UNAVAIL=return] dns\n")
		namespace.Replace(t, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n")
		silent, err := net.ListenPacket("udp", "127.0.0.1:53") // answers nothing
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		server := product.Start(t)
		c := server.Dial(t)
		for i := range lookups {
			if _, err := c.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost(fmt.Sprintf("name%d.example", i)), Port: 80}); err != nil {
				t.Fatal(err)
			}
		}
		highest := 0
		for began := time.Now(); time.Since(began) < 3*time.Second; time.Sleep(10 * time.Millisecond) { // samples a figure
			highest = max(highest, threads(t, server.PID()))
		}
		if highest > most {
			t.Errorf("%d threads with %d lookups, want at most %d", highest, lookups, most)
		}
		t.Logf("%d threads with %d lookups", highest, lookups)
	})
}
