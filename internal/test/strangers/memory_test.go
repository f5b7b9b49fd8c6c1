package strangers_test

import (
	"context"
	"net"
	"sync"
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

// Sessions that fill every window towards targets that read nothing stay within the budget, and
// nothing of it is noticed by another session.
func TestMemoryOfAllSessions(t *testing.T) {
	const (
		sessions, streams = 3, 1024
		window            = 256 << 10
		budget            = 128 << 20
		// Go's heap has garbage beside what is used, at most a quarter of the budget and
		// 256 MiB before it collects harder (server/memory).
		most = budget + budget/4 + 256<<20
	)
	server := product.Start(t, "--allow", "127.0.0.1", "--max-memory", "128MiB")
	before := server.RSS()
	echo := product.Echo(t)
	neighbor := server.StartNeighbor(t, echo, newSource(t, honest).client(server))
	request := deaf(t)
	ctx, cancel := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	t.Cleanup(writers.Wait)
	t.Cleanup(cancel)
	for range sessions {
		hog := server.Dial(t, newSource(t, hostile).client(server))
		t.Cleanup(hog.Close) // ends the writers
		writers.Go(func() {
			fill := make([]byte, window)
			for range streams {
				stream, err := hog.Open(request())
				if err != nil {
					return // the session was ended
				}
				writers.Go(func() { _, _ = stream.Write(fill) }) // it may be refused, or wait
			}
		})
	}
	// The hogs fill what they get within seconds; then nothing may move any more but the others.
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
	t.Logf("RSS %d MiB before, %d MiB at most; %d descriptors; neighbor: %d exchanges, slowest %s", before>>20, peak>>20, server.Descriptors(), report.Exchanges, report.Slowest)
}
