package strangers_test

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// At the fronts of foreign protocols an upgrade is a session. A crowd of idle ones from one network
// has its --max-sessions-per-client, and keeps no newcomer of another out of any front.
func TestForeignCrowdsLockNoOneOut(t *testing.T) {
	const strangers, own = 200, 25
	for _, f := range foreign {
		t.Run(f.route, func(t *testing.T) {
			server := product.Options{Files: 4096}.Start(t, "--allow", "127.0.0.1", "--allow-yamux", "--allow-posix",
				"--max-sessions", "50", "--max-sessions-per-client", "25", "--admin", "127.0.0.1:0")
			echo := product.Echo(t)
			crowd := newSource(t, hostile)
			for i := range strangers {
				if _, err := crowd.upgradeTo(t.Context(), server, f); err != nil {
					t.Fatalf("stranger %d: %v", i, err) // it is told why over the WebSocket
				}
			}
			servertest.Eventually(t, patience, "the crowd has its sessions", func() bool { return server.Metric(t, "sockmux_sessions") == own })
			from := newSource(t, honest)
			for i, g := range append(foreign, f) {
				if _, err := from.upgradeTo(t.Context(), server, g); err != nil {
					t.Errorf("a newcomer at %s: %v", g.route, err)
				}
				want := float64(own + i + 1)
				servertest.Eventually(t, patience, "the newcomer has a session", func() bool { return server.Metric(t, "sockmux_sessions") == want })
			}
			if err := visit(t, server, from, echo); err != nil {
				t.Errorf("a newcomer at connect: %v", err)
			}
			crowd.cut()
			servertest.Eventually(t, patience, "the sessions of the crowd end", func() bool { return server.Metric(t, "sockmux_sessions") == 3 })
		})
	}
}

// Foreign sessions that send the first message but for its last byte hold --max-memory at most, and
// 64 KiB each, and an honest session does not notice.
func TestForeignHalfMessagesTakeNoMemory(t *testing.T) {
	const (
		strangers = 500
		size      = 1 << 20
		memory    = 64 << 20
		most      = 3*memory + detector // of RSS more than before: Go collects when the heap has doubled
	)
	for _, f := range foreign {
		t.Run(f.route, func(t *testing.T) {
			server := product.Start(t, "--allow", "127.0.0.1", "--allow-yamux", "--allow-posix", "--max-memory", "64MiB",
				"--max-sessions", "1000", "--max-sessions-per-client", "600")
			stream := product.Open(t, server.Dial(t, newSource(t, honest).client(server)), product.Echo(t))
			before := server.RSS()
			header := binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, size) // masked with zeros (RFC 6455, 5.2)
			header = append(header, 0, 0, 0, 0)
			half := make([]byte, size-1)
			if f.route == "yamux" {
				copy(half, []byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 4, 0, 0}) // data of stream 1, as much as its window
			}
			slots := make(chan struct{}, 16) // as many send at once
			var tasks sync.WaitGroup
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			from := newSource(t, hostile)
			for range strangers {
				slots <- struct{}{}
				tasks.Go(func() {
					defer func() { <-slots }()
					conn, err := from.upgradeTo(ctx, server, f)
					if err != nil {
						return // there are enough
					}
					_, _ = conn.Write(header)           // the server may have had enough
					_, _ = io.Copy(conn, newBody(half)) // likewise
				})
			}
			if err := echoes(stream, 1<<16); err != nil {
				t.Errorf("the honest session, meanwhile: %v", err)
			}
			tasks.Wait()
			if err := echoes(stream, 1<<16); err != nil {
				t.Errorf("the honest session, behind it: %v", err)
			}
			if more := server.PeakRSS() - before; more > most {
				t.Errorf("%d half messages: RSS grew by %d MiB, want at most %d", strangers, more>>20, int64(most)>>20)
			} else {
				t.Logf("%d half messages: RSS %d MiB before, %d MiB more at most", strangers, before>>20, more>>20)
			}
		})
	}
}
