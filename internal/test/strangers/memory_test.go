package strangers_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// deaf starts a target that reads nothing.
func deaf(t *testing.T) func() wire.Request {
	t.Helper()
	end := make(chan struct{})
	target := product.Target(t, func(c *net.TCPConn) {
		_ = c.SetReadBuffer(4 << 10) // a larger one only takes more of the machine
		<-end
	})
	t.Cleanup(func() { close(end) }) // before the target's own
	return func() wire.Request { return product.Request(target) }
}

// fillTime bounds how long hogs may fill what they can: hundreds of megabytes, by a server with
// the race detector, on a machine that does other work too.
const fillTime = 4 * time.Minute

// settle waits until a figure has not changed for the time of still.
func settle(t *testing.T, figure *atomic.Int64, still time.Duration) {
	t.Helper()
	last, since := figure.Load(), time.Now()
	for began := time.Now(); time.Since(since) < still; time.Sleep(50 * time.Millisecond) { // polls, bounded
		if now := figure.Load(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(began) > fillTime {
			t.Fatalf("after %s the hogs still send: %d bytes", fillTime, last)
		}
	}
}

// Sessions that fill every window towards targets that read nothing stay within the budget, and
// nothing of it is noticed by another session.
func TestMemoryOfAllSessions(t *testing.T) {
	const (
		sessions, streams = 3, 1024
		window            = 256 << 10
		budget            = 64 << 20
		// Go's heap has garbage beside what is used, and the stacks of some goroutines for
		// each stream.
		most = budget + budget/4 + 160<<20 + detector
	)
	server := product.StartEnv(t, []string{"SOCKMUX_MAX_MEMORY=64MiB"}, "--allow", "127.0.0.1")
	before := server.RSS()
	echo := product.Echo(t)
	neighbor := server.StartNeighbor(t, echo, newSource(t, honest).client(server))
	request := deaf(t)
	ctx, cancel := context.WithCancel(t.Context())
	var openers, writers sync.WaitGroup
	var written atomic.Int64
	t.Cleanup(openers.Wait)
	t.Cleanup(writers.Wait)
	t.Cleanup(cancel)
	for range sessions {
		hog := server.Dial(t, newSource(t, hostile).client(server))
		t.Cleanup(hog.Close) // ends the writers
		openers.Go(func() {
			fill := make([]byte, 16<<10)
			for range streams {
				stream, err := hog.Open(request())
				if err != nil {
					return // the session was ended
				}
				writers.Go(func() {
					for piece := 0; piece < window; piece += 16 << 10 {
						n, err := stream.Write(fill[:16<<10])
						written.Add(int64(n))
						if err != nil {
							return // it was refused, or the session has ended
						}
					}
				})
			}
		})
	}
	openers.Wait()
	settle(t, &written, 3*time.Second)
	large, err := product.Opened(ctx, server.Dial(t, newSource(t, honest).client(server)), echo)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for range 4 {
		if err := echoes(large, 4<<20); err != nil {
			t.Fatalf("a transfer of 4 MiB beside the hogs: %v", err)
		}
	}
	for time.Since(began) < 5*time.Second {
		if err := neighbor.Exchange(ctx); err != nil {
			t.Fatal(err)
		}
	}
	report := neighbor.Report()
	if report.Err != nil {
		t.Errorf("the neighbor: %v", report.Err)
	}
	peak := server.PeakRSS()
	if peak-before > most {
		t.Errorf("RSS %d MiB before, %d MiB at most, want at most %d MiB more", before>>20, peak>>20, int64(most)>>20)
	}
	t.Logf("%d MiB sent; RSS %d MiB before, %d MiB at most; %d descriptors; neighbor: %d exchanges, slowest %s",
		written.Load()>>20, before>>20, peak>>20, server.Descriptors(), report.Exchanges, report.Slowest)
}
