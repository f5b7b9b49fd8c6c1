//go:build !windows

package proxies_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/mux"
)

// haproxyGlobal stands before the example. The old process keeps its connections after a
// reload; here it has a moment.
const haproxyGlobal = `global
    stats socket %s/stats mode 600 level operator expose-fd listeners
    hard-stop-after 300ms
`

// balancer is HAProxy with what it tells of itself.
type balancer struct {
	*front
	stats string // socket
}

// startHAProxy runs HAProxy with the example in front of two servers, which drain at once.
func startHAProxy(t *testing.T, prefix string, change func(*example), flags ...string) *balancer {
	t.Helper()
	return startDelayed(t, 0, prefix, change, flags...)
}

// startDelayed is startHAProxy for servers with a --drain-delay.
func startDelayed(t *testing.T, delay time.Duration, prefix string, change func(*example), flags ...string) *balancer {
	t.Helper()
	program, dir := find(t, "haproxy"), folder(t)
	roots, cert, key := authority(t, dir)
	e := readExample(t, "haproxy.cfg")
	token := e.authenticate(t, dir)
	e.flag(t, "--tls-cert", cert)
	e.flag(t, "--tls-key", key)
	e.flag(t, "--trusted-proxies", "127.0.0.1")
	e.flag(t, "--drain-delay", delay.String())
	flags = append(append(e.flags, "--prefix", prefix), flags...)
	b := &balancer{front: &front{host: host, roots: roots, prefix: prefix, token: token, origins: []string{"https://page.example.org"}}, stats: filepath.Join(dir, "stats")}
	for i := range 2 {
		s := startServer(t, flags...)
		b.servers = append(b.servers, s)
		e.replace(t, fmt.Sprintf("10.0.0.%d:8443", i+1), s.addr)
	}
	e.replace(t, "GET /readyz", "GET "+prefix+"readyz")
	e.replace(t, "inter 5s", "inter 200ms")
	if change != nil {
		change(e)
	}
	global, site := filepath.Join(dir, "global.cfg"), filepath.Join(dir, "haproxy.cfg")
	put(t, global, fmt.Sprintf(haproxyGlobal, dir))
	p, addr := startProxy(t, func(port string) *exec.Cmd {
		bound := *e
		bound.replace(t, "bind :443", "bind 127.0.0.1:"+port)
		bound.write(t, site)
		return exec.Command(program, "-W", "-f", global, "-f", site)
	})
	b.addr = addr
	b.reload = func(t *testing.T) {
		if err := p.command.Process.Signal(syscall.SIGUSR2); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// health gives what the checks of each server last said; nothing while HAProxy starts.
func (b *balancer) health(t *testing.T) (checks []string) {
	t.Helper()
	conn, err := net.Dial("unix", b.stats)
	if err != nil {
		return nil
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "show stat\n"); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimPrefix(string(text), "# "), "\n")
	columns := strings.Split(lines[0], ",")
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, value := range strings.Split(line, ",") {
			row[columns[i]] = value
		}
		if row["svname"] == "one" || row["svname"] == "two" {
			checks = append(checks, row["status"]+" "+strings.TrimPrefix(row["check_status"], "* ")+" "+row["check_code"])
		}
	}
	return checks
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/sockmux/", "/"} {
		t.Run(prefix, func(t *testing.T) { check(t, startHAProxy(t, prefix, nil).front) })
	}
	impatient := func(e *example) {
		e.replace(t, "timeout client 1h", fmt.Sprintf("timeout client %dms", idleTimeout.Milliseconds()))
		e.replace(t, "timeout server 1h", fmt.Sprintf("timeout server %dms", idleTimeout.Milliseconds()))
	}
	t.Run("idle", func(t *testing.T) {
		checkIdle(t, startHAProxy(t, "/", impatient, "--keepalive", keepalive.String()).front)
	})
	t.Run("idle without pings", func(t *testing.T) {
		checkIdleBites(t, startHAProxy(t, "/", impatient, "--keepalive", "1m").front)
	})
	t.Run("drain", func(t *testing.T) {
		roundRobin := func(e *example) { e.replace(t, "balance source", "balance roundrobin") }
		echo := product.Echo(t) // each server has demo services of its own
		checkDrain(t, startDelayed(t, drainDelay, "/", roundRobin, "--drain-timeout", patience.String(), "--allow", echo.String()), echo)
	})
	t.Run("health", func(t *testing.T) { checkHealth(t, startHAProxy(t, "/", nil)) })
}

// drainDelay is longer than HAProxy needs to take a server out, 400 ms here, by what a busy
// machine may add.
const drainDelay = 5 * time.Second

// checkDrain: new pages that the balancer sends to a server that is about to end get a
// session, and after the delay all of them are at the other one.
func checkDrain(t *testing.T, b *balancer, echo netip.AddrPort) {
	const pages = 10
	b.healthy(t)
	leaving := b.servers[0]
	var streams []*mux.Stream // the drain lasts until they are closed
	eventually(t, "a page is at that server", func() bool {
		streams = append(streams, product.Open(t, b.open(t).Client, echo))
		return strings.Contains(leaving.log.String(), "session opened")
	})
	if err := leaving.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range pages {
		s, err := product.Opened(t.Context(), b.open(t).Client, echo)
		if err != nil {
			failed++
			t.Errorf("page %d: %v", i+1, err)
			continue
		}
		streams = append(streams, s)
	}
	if failed > 0 {
		t.Errorf("%d of %d new pages were refused", failed, pages)
	}
	eventually(t, "the server is taken out", func() bool {
		checks := b.health(t)
		return len(checks) == 2 && strings.HasPrefix(checks[0], bad)
	})
	if log := leaving.log.String(); strings.Contains(log, "draining timeout") {
		t.Errorf("the drain began before the server was taken out:\n%s", log)
	}
	for _, s := range streams {
		_ = s.Close() // it may have been lost, which is told above
	}
	<-leaving.ended
	say(t, product.Open(t, b.open(t).Client, echo), "at the other")
}

// What the checks of a server say.
const good, bad = "UP L7OK 200", "DOWN"

// healthy waits until both servers take pages.
func (b *balancer) healthy(t *testing.T) {
	t.Helper()
	eventually(t, "both servers are checked", func() bool {
		checks := b.health(t)
		return len(checks) == 2 && checks[0] == good && checks[1] == good
	})
}

// checkHealth: the checks pass TLS and the PROXY header; a server that ends is taken out,
// and its pages begin anew at the other.
func checkHealth(t *testing.T, b *balancer) {
	b.healthy(t)
	p := b.open(t)
	first := p.connect(t, "echo")
	say(t, first, "before")
	own := -1
	eventually(t, "one of the servers has the session", func() bool {
		for i, s := range b.servers {
			if strings.Contains(s.log.String(), "peer="+visitor+":") {
				own = i
			}
		}
		return own >= 0
	})
	b.servers[own].stop()
	if n, err := first.Read(make([]byte, 1)); err == nil {
		t.Fatalf("the stream outlives its server: %d bytes", n)
	}
	eventually(t, "the server is taken out", func() bool {
		checks := b.health(t)
		return len(checks) == 2 && strings.HasPrefix(checks[own], bad)
	})
	say(t, p.connect(t, "echo"), "at the other")
}
