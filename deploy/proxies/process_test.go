package proxies_test

import (
	"bufio"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is after how long something is not going to happen.
const patience = 30 * time.Second

// eventually polls.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	servertest.Eventually(t, patience, what, ok)
}

// process is a program that runs until the test ends.
type process struct {
	command *exec.Cmd
	log     *servertest.Log
	ended   chan struct{} // closed when it has ended
	err     error         // why; valid then
}

// run starts a program. Its standard error is in the log, which is printed if the test fails.
func run(t *testing.T, command *exec.Cmd) *process {
	t.Helper()
	p := &process{command: command, log: new(servertest.Log), ended: make(chan struct{})}
	command.Stderr = p.log
	if command.Stdout == nil {
		command.Stdout = p.log
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			log := p.log.String()
			t.Logf("the last words of %s:\n%s", filepath.Base(command.Path), log[max(0, len(log)-8000):])
		}
	})
	return p
}

// stop ends the program as an operator does, and waits for it.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	hung := time.AfterFunc(patience/2, func() { _ = p.command.Process.Kill() })
	defer hung.Stop()
	<-p.ended
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// server is sockmux.
type server struct {
	*process
	addr   string
	prefix string
	url    string // as it says itself
}

// startServer runs the server on a free port, with the demo services as targets.
func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	binary, err := product.Binary()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(flags, "--drain-timeout") {
		flags = append(flags, "--drain-timeout", "1s")
	}
	command := exec.Command(binary, append(flags, "--listen", "127.0.0.1:0", "--demo", "--log-format", "text")...)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	command.Stdout = writer
	s := &server{process: run(t, command)}
	_ = writer.Close() // the process has its own
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatalf("sockmux %q says no address: %v\n%s", command.Args[1:], err, s.log)
	}
	_, s.url, _ = strings.Cut(strings.TrimSpace(line), ": ")
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.prefix = u.Host, u.Path
	return s
}

// required says that nothing may be skipped (make proxies).
var required = os.Getenv("SOCKMUX_REQUIRE_PROXIES") != ""

// find gives the path of a proxy's program; the test ends here where there is none.
func find(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} { // where Debian has them, which is not in every PATH
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if required {
		t.Fatalf("%s is not installed (make proxies installs Debian's)", name)
	}
	t.Skipf("%s is not installed (make proxies installs Debian's)", name)
	return ""
}

// attempts is how often a proxy is started anew because another program took its port between
// the choice and the start.
const attempts = 3

// startProxy runs a proxy on a free port. prepare writes what it needs and gives the command.
func startProxy(t *testing.T, prepare func(port string) *exec.Cmd) (p *process, addr string) {
	t.Helper()
	for range attempts {
		port := ports.FreeFor(t)
		addr = net.JoinHostPort("127.0.0.1", port)
		p = run(t, prepare(port))
		open := false
		eventually(t, "the proxy listens", func() bool {
			conn, err := net.Dial("tcp", addr)
			if err == nil {
				_ = conn.Close() // it was only a question
			}
			open = err == nil
			return open || !p.running()
		})
		if open && p.running() {
			return p, addr
		}
	}
	t.Fatalf("%s does not start: %v\n%s", p.command.Path, p.err, p.log)
	return nil, ""
}

// folder is a place whose name is short enough for the sockets in it.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a folder for temporary files
	return dir
}

// must runs a program to its end.
func must(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
