package hostile_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/servertest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Times of the server under test: short, so that what waits for them is over soon.
const (
	handshake = 2 * time.Second
	keepalive = 2 * time.Second
)

// process is the server.
type process struct {
	addr  string // of the front
	admin string // URL
	pid   int
	log   *servertest.Log
}

// startServer builds the server and runs it until the test ends, when it must end well by itself.
func startServer(t *testing.T, args ...string) *process {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sockmux")
	build := []string{"build", "-o", binary}
	if race {
		build = append(build, "-race") // the packages are compiled already
	}
	if out, err := exec.Command("go", append(build, "github.com/sockmux/sockmux/server")...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	p := &process{log: new(servertest.Log)}
	command := exec.Command(binary, append([]string{
		"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--handshake-timeout", handshake.String(), "--keepalive", keepalive.String(), "--grace", "5s", "--log-level", "info", "--log-format", "text",
	}, args...)...)
	command.Stderr = p.log
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // fails only if it is dead, which Wait tells
		hung := time.AfterFunc(30*time.Second, func() { _ = command.Process.Kill() })
		defer hung.Stop()
		if err := command.Wait(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		for _, word := range []string{"panic", "DATA RACE", "level=ERROR"} {
			if log := p.log.String(); strings.Contains(log, word) {
				t.Errorf("the server logged %q:\n%s", word, log[max(0, len(log)-8000):])
			}
		}
	})
	if err != nil {
		t.Fatalf("the server printed no address: %v\n%s", err, p.log)
	}
	_, url, _ := strings.Cut(strings.TrimSpace(line), "http://")
	p.addr, p.pid = strings.TrimSuffix(url, "/"), command.Process.Pid
	found := regexp.MustCompile(`"listening for operators" address=(\S+)`)
	awaited := false
	for deadline := time.Now().Add(patience); !awaited && time.Now().Before(deadline); time.Sleep(time.Millisecond) { // polls the log, bounded
		if m := found.FindStringSubmatch(p.log.String()); m != nil {
			p.admin, awaited = "http://"+m[1], true
		}
	}
	if !awaited {
		t.Fatalf("no address for operators in the log:\n%s", p.log)
	}
	return p
}

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// figures are what the process takes.
type figures struct {
	goroutines, fds int
	heap, rss       int64 // bytes; heap after a collection, rss 0 where the system does not tell
}

func (f figures) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, heap %.1f MiB, RSS %.0f MiB", f.goroutines, f.fds, float64(f.heap)/(1<<20), float64(f.rss)/(1<<20))
}

var (
	totalLine = regexp.MustCompile(`total (\d+)`)
	heapLine  = regexp.MustCompile(`# HeapAlloc = (\d+)`)
)

func (p *process) measure(t testing.TB) figures {
	t.Helper()
	var f figures
	f.heap = int64(number(t, heapLine, p.fetch(t, "/debug/pprof/heap?gc=1&debug=1")))
	f.goroutines = number(t, totalLine, p.fetch(t, "/debug/pprof/goroutine?debug=1"))
	if runtime.GOOS == "linux" {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
		if err != nil {
			t.Fatal(err)
		}
		f.fds, f.rss = len(entries), p.rss()
	}
	return f
}

// rss is 0 where the system does not tell, and when the process is dead.
func (p *process) rss() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b))
	pages, _ := strconv.ParseInt(fields[1], 10, 64) // the system's own text
	return pages * int64(os.Getpagesize())
}

func number(t testing.TB, line *regexp.Regexp, text string) int {
	t.Helper()
	m := line.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %.300s", line, text)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (p *process) fetch(t testing.TB, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", path, response.StatusCode, err)
	}
	return string(body)
}
