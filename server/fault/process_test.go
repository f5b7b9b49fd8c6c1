package fault_test

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// roleVariable makes the test binary another process, which is there to be killed: "server", or "client SERVER TARGET".
const roleVariable = "SOCKMUX_FAULT_ROLE"

// streamsOfClient is how many streams the client process opens.
const streamsOfClient = 50

func play(role string) int {
	words := strings.Fields(role)
	switch words[0] {
	case "server":
		b, err := startBackend(quick, "127.0.0.1:0")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(b.addr)
	case "client":
		c := client.New(client.Config{Dial: dialer(func() string { return words[1] })})
		target := netip.MustParseAddrPort(words[2])
		for range streamsOfClient {
			s, err := c.Open(wire.Request{Kind: wire.TCP, Host: target.Addr().String(), Port: target.Port()})
			if err == nil {
				_, err = io.WriteString(s, "down 1 100000000\n") // far more than is ever read
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
			if _, err := io.CopyN(io.Discard, s, 1000); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		fmt.Println("ready")
	}
	select {} // until it is killed
}

// spawn starts the test binary in a role and returns its first line and a function that kills it.
func spawn(t *testing.T, role string) (line string, kill func()) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), roleVariable+"="+role)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if !killed {
			killed = true
			_ = command.Process.Kill() // SIGKILL; it may have ended by itself
			_ = command.Wait()         // "signal: killed"
		}
	}
	t.Cleanup(kill)
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	return strings.TrimSpace(line), kill
}

// figures is what a process holds.
type figures struct {
	goroutines, files int
	heap              uint64
}

func figuresNow() figures {
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := figures{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc}
	entries, err := os.ReadDir("/proc/self/fd")
	if err == nil { // elsewhere only the rest is counted
		f.files = len(entries)
	}
	return f
}

// heapSlack is what the heap may have grown by: buffers of the runtime and of packages, no sessions.
const heapSlack = 4 << 20

func (f figures) backAt(base figures) bool {
	return f.goroutines <= base.goroutines && f.files <= base.files && f.heap <= base.heap+heapSlack
}

// TestKilledClient: a page that dies without a word (kill -9, a tab that is reloaded) leaves nothing behind after the grace period.
func TestKilledClient(t *testing.T) {
	const grace = 500 * time.Millisecond
	w := newWorld(t, session.Config{Grace: grace, MaxParked: 100, Keepalive: 200 * time.Millisecond})
	target := service(t, mover)
	// What the first use of everything leaves for good is no leak.
	warm, _ := w.client()
	open(t, warm, target).Close()
	warm.Close()
	eventually(t, "the first session is gone", func() bool { return w.registry.Stats().Sessions == 0 })
	var base figures
	eventually(t, "the baseline is calm", func() bool {
		last := base
		base = figuresNow()
		return base.goroutines == last.goroutines && base.files == last.files
	})

	_, kill := spawn(t, fmt.Sprintf("client %s %s", w.addr, target)) // without the proxy: the kernel says RST or FIN
	busy := figuresNow()
	if n := w.registry.Stats().Streams; n != streamsOfClient {
		t.Errorf("%d streams, want %d", n, streamsOfClient)
	}
	kill()
	killedAt := time.Now()
	var now figures
	eventually(t, "everything is back at the baseline", func() bool {
		now = figuresNow()
		return w.registry.Stats().Sessions == 0 && now.backAt(base)
	})
	t.Logf("before %+v, with %d streams %+v, %s after the kill (grace period %s) %+v", base, streamsOfClient, busy, time.Since(killedAt).Round(time.Millisecond), grace, now)
}

// TestKilledServer: the client finds out, says so to every stream, and holds nothing of them any more.
func TestKilledServer(t *testing.T) {
	target := service(t, mover)
	first, kill := spawn(t, "server")
	var addr atomic.Value
	addr.Store(first)
	base := figuresNow()
	c, states := newClient(t, dialer(func() string { return addr.Load().(string) }))
	streams := make([]*mux.Stream, 50)
	for i := range streams {
		streams[i] = open(t, c, target)
	}
	from := states.count()
	kill()
	states.await(t, from, "it resumes", is(client.Resuming))
	next, _ := spawn(t, "server")
	addr.Store(next)
	c.Kick()
	for i, s := range streams {
		if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.UnknownSession) {
			t.Errorf("stream %d: %v, want unknown_session", i, err)
		}
		_ = s.Close() // it has ended
	}
	var now figures
	eventually(t, "everything is back at the baseline", func() bool {
		now = figuresNow()
		return now.backAt(base)
	})
	t.Logf("before %+v, after %+v", base, now)
}
