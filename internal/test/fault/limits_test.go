package fault_test

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
)

// Budgets of both ends together, the server's process and the test's; heap profiles have
// exactly these (docs/RELIABILITY.md). A stream that is not read may fill its first
// window at the receiver, in chunks of 64 KiB of which the last may be part empty, a copy
// buffer of the relay, and one of io.Copy in the test itself. A session may fill what
// windows may be larger by at the start of one end and grow by at both ends, the links'
// two bounds, and what they gather; what only a long path lets it have beyond that
// (docs/SECURITY.md) is not used here.
const (
	firstWindow   = 256 << 10
	streamBudget  = firstWindow + mux.MaxFrame + 64<<10 + 32<<10
	sessionBudget = mux.StartBudget + mux.DefaultWindowBudget + 16<<20 + 2*link.DefaultBound + 8<<20
)

// farBuffer is what the system of a target keeps for a connection. It is this very system
// in a test, and with megabytes for each of a thousand connections it would come to the
// most that it gives to TCP (Linux: net.ipv4.tcp_mem), from where on it drops packets of
// all connections, those of the streams beside them, too.
const farBuffer = 64 << 10

// stuck is a target that takes a line and then never reads; with "down" it sends for ever.
func stuck(conn *net.TCPConn) {
	_ = conn.SetReadBuffer(farBuffer)  // fails only where the connection has ended
	_ = conn.SetWriteBuffer(farBuffer) // as above
	b := make([]byte, 5)
	if _, err := io.ReadFull(conn, b); err != nil {
		return
	}
	if string(b) == "down\n" {
		_, _ = io.Copy(conn, noise(9)) // until the other end has gone
		return
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	// It waits for what never comes: to be readable for a reader that is never content.
	// The end of the test closes the connection.
	_ = raw.Read(func(uintptr) bool { return false })
}

// heaps returns what both ends hold, in bytes.
func (w *world) heaps() int64 {
	w.Measure(w.t) // pools give up what they hold at the second collection
	return w.Measure(w.t).Heap + figuresNow().Heap
}

// besides is how many uploads are timed, of which the median counts.
const besides = 5

// TestNobodyReads: targets and programs that never read hold no more memory than they
// may, and streams beside them run at full speed.
func TestNobodyReads(t *testing.T) {
	many := scaled(100, 1000)
	for _, test := range []struct {
		name    string
		streams int
		first   string
	}{
		{"a target that never reads", 1, "stop\n"},
		{"a page that never reads", 1, "down\n"},
		{"many targets that never read", many, "stop\n"},
		{"many streams that the page never reads", many, "down\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, nil)
			target, lively := product.Target(t, stuck), product.Target(t, mover)
			c, _ := w.client()
			var moved atomic.Int64
			median := func() time.Duration {
				var took []time.Duration
				for i := range besides {
					began := time.Now()
					if err := upload(product.Open(t, c, lively), uint64(i), 4<<20, &moved); err != nil {
						t.Fatal(err)
					}
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				return took[besides/2]
			}
			alone := median()
			base, before := w.heaps(), w.proxy.Moved()

			var writers sync.WaitGroup
			streams := make([]*mux.Stream, test.streams)
			for i := range streams {
				s := product.Open(t, c, target)
				streams[i] = s
				writers.Go(func() {
					if _, err := io.WriteString(s, test.first); err != nil {
						t.Error(err)
					}
					if test.first == "stop\n" {
						_, _ = io.Copy(s, noise(1)) // until the stream is reset below
					}
				})
			}
			// Until every window is full and nothing moves any more.
			last, calm := int64(-1), 0
			eventually(t, "all is stuck", func() bool {
				now := w.proxy.Moved()
				if now == last {
					calm++
				} else {
					last, calm = now, 0
				}
				return calm > 300 && now-before >= int64(test.streams)*firstWindow
			})
			held := w.heaps()
			budget := int64(sessionBudget + test.streams*streamBudget)
			if held > base+budget {
				t.Errorf("%d MiB are held, the budget is %d MiB", (held-base)>>20, budget>>20)
			}
			beside := min(median(), median(), median()) // what else the machine does only adds
			for i, s := range streams {
				if err := s.Reset(8, fmt.Sprint("stream ", i)); err != nil {
					t.Error(err)
				}
			}
			writers.Wait()
			alone = max(alone, median()) // what else the machine does comes and goes
			if beside > 2*alone+100*time.Millisecond {
				t.Errorf("a stream beside them took %s, alone %s", beside, alone)
			}
			t.Logf("%d streams hold %.1f MiB (budget %d MiB); 4 MiB beside them took %s, alone %s (medians of %d)", test.streams,
				float64(held-base)/(1<<20), budget>>20, beside.Round(time.Millisecond), alone.Round(time.Millisecond), besides)
		})
	}
}
