package fault_test

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// roleVariable makes the test binary a client that is there to be killed: "URL TARGET".
const roleVariable = "SOCKMUX_FAULT_CLIENT"

// streamsOfClient is how many streams the client process opens.
const streamsOfClient = 50

// play opens streams, says so, and waits to be killed.
func play(words []string) int {
	c := client.New(client.Config{Dial: product.Transport(words[0])})
	target := netip.MustParseAddrPort(words[1])
	for range streamsOfClient {
		s, err := c.Open(product.Request(target))
		if err == nil {
			_, err = io.WriteString(s, "down 1 100000000\n") // far more than is ever read
		}
		if err == nil {
			_, err = io.CopyN(io.Discard, s, 1000)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("ready")
	select {}
}

// spawn starts a client process, waits until it is ready and returns what kills it.
func spawn(t *testing.T, url string, target netip.AddrPort) (kill func()) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", roleVariable, url, target))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = command.Process.Kill() // fails only if it has ended by itself
		_ = command.Wait()         // "signal: killed"
	})
	t.Cleanup(kill)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the client process: %v", err)
	}
	return kill
}

// figuresNow returns what this process holds.
func figuresNow() product.Figures {
	runtime.GC()
	runtime.GC() // pools give up what they hold at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := product.Figures{Goroutines: runtime.NumGoroutine(), Heap: int64(m.HeapAlloc)}
	entries, err := os.ReadDir("/proc/self/fd")
	if err == nil { // elsewhere only the rest is counted
		f.Descriptors = len(entries)
	}
	return f
}

// heapSlack is what a heap may have grown by: buffers of the runtime and of packages, no sessions.
const heapSlack = 4 << 20

// backAt reports whether a process holds no more than it did.
func backAt(now, base product.Figures) bool {
	return now.Goroutines <= base.Goroutines && now.Descriptors <= base.Descriptors && now.Heap <= base.Heap+heapSlack
}

// calm returns figures that have come to rest.
func calm(t *testing.T, figures func() product.Figures) product.Figures {
	t.Helper()
	base := figures()
	eventually(t, "the baseline is calm", func() bool {
		last := base
		base = figures()
		return base.Goroutines == last.Goroutines && base.Descriptors == last.Descriptors
	})
	return base
}

// TestKilledClient: a page that dies without a word (kill -9, a tab that is reloaded)
// leaves nothing behind after the grace period.
func TestKilledClient(t *testing.T) {
	w := newWorld(t, quick, "--grace", "500ms")
	target := product.Target(t, mover)
	// What the first use of everything leaves for good is no leak.
	warm, _ := w.client()
	product.Open(t, warm, target).Close()
	warm.Close()
	eventually(t, "the first session is gone", func() bool { return w.Counts(t).Sessions == 0 })
	base := calm(t, func() product.Figures { return w.Measure(t) })

	kill := spawn(t, w.ConnectURL(), target) // without the proxy: the kernel says RST or FIN
	busy := w.Measure(t)
	if n := w.Counts(t).Streams; n != streamsOfClient {
		t.Errorf("%d streams, want %d", n, streamsOfClient)
	}
	kill()
	killedAt := time.Now()
	var now product.Figures
	eventually(t, "everything is back at the baseline", func() bool {
		now = w.Measure(t)
		return w.Counts(t).Sessions == 0 && backAt(now, base)
	})
	t.Logf("before: %s; with %d streams: %s; %s after the kill: %s", base, streamsOfClient, busy, time.Since(killedAt).Round(time.Millisecond), now)
}

// TestKilledServer: the client finds out, says so to every stream, and holds nothing of
// them any more.
func TestKilledServer(t *testing.T) {
	target := product.Target(t, mover)
	first := startServer(t, quick)
	var addr atomic.Value
	addr.Store(first.Addr())
	base := figuresNow()
	c, states := newClient(t, dialer(func() string { return addr.Load().(string) }))
	streams := make([]*mux.Stream, 50)
	for i := range streams {
		streams[i] = product.Open(t, c, target)
	}
	from := states.count()
	first.Signal(syscall.SIGKILL)
	first.Wait()
	states.await(t, from, "it resumes", is(client.Resuming))
	addr.Store(startServer(t, quick).Addr())
	c.RetryNow()
	for i, s := range streams {
		if _, err := s.Read(make([]byte, 1)); !isCode(err, wire.UnknownSession) {
			t.Errorf("stream %d: %v, want unknown_session", i, err)
		}
		_ = s.Close() // it has ended
	}
	var now product.Figures
	eventually(t, "everything is back at the baseline", func() bool {
		now = figuresNow()
		return backAt(now, base)
	})
	t.Logf("before %s, after %s", base, now)
}
