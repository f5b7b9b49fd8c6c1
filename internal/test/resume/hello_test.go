package resume_test

import (
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
)

// TestLateHello: the connection is reset; the next one is upgraded, and what the client sends
// over it arrives later than the server waits for a hello. The one after that is good. The
// server has the session all that time, so no stream is lost.
func TestLateHello(t *testing.T) {
	const streams, handshake = 20, 500 * time.Millisecond
	w := newWorld(t, "--handshake-timeout", handshake.String())
	c, seen := w.client()
	all := make([]*mux.Stream, streams)
	for i := range all {
		all[i] = open(t, c, w.echo)
		if err := echoes(all[i], "before"); err != nil {
			t.Fatal(err)
		}
	}
	taken := w.proxy.Taken()
	w.proxy.Set(fault.Conduct{Late: 3 * handshake})
	w.proxy.Cut(fault.Reset)
	eventually(t, "the client comes back", func() bool { return w.proxy.Taken() > taken })
	w.proxy.Set(fault.Conduct{})
	lost := 0
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i, s := range all {
		wait.Go(func() {
			if err := echoes(s, "after"); err != nil {
				mu.Lock()
				defer mu.Unlock()
				lost++
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	if refused := w.WaitLog("handshake_timeout"); refused == "" {
		t.Error("no hello was late")
	}
	if lost > 0 {
		t.Errorf("%d of %d streams are lost; states:%s", lost, streams, seen)
	}
	if n := seen.count(client.Closed); n > 0 {
		t.Errorf("the session was given up; states:%s", seen)
	}
}

// TestLateWelcome: the welcome comes later than the carrier may be silent by the times that it
// brings. It is a sign of life itself, so the carrier is not taken for dead.
func TestLateWelcome(t *testing.T) {
	w := newWorld(t, "--keepalive", "1s") // dead after 2 s
	w.proxy.Set(fault.Conduct{Late: 2500 * time.Millisecond})
	c, seen := w.client()
	s := open(t, c, w.echo)
	if err := echoes(s, "after a while"); err != nil {
		t.Error(err)
	}
	if n := seen.count(client.Resuming); n > 0 {
		t.Errorf("the connection was lost; states:%s", seen)
	}
}
