package resume_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// ready returns the status of readyz.
func (w *world) ready() int {
	w.t.Helper()
	response, err := http.Get(w.URL() + "readyz")
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close() // it was not read
	return response.StatusCode
}

// TestDrainDelay: after the first signal readyz says 503, and new sessions are accepted until
// the delay is over; then they are refused.
func TestDrainDelay(t *testing.T) {
	w := newWorld(t, "--drain-delay", "4s")
	old := open(t, w.Dial(t), w.echo)
	if got := w.ready(); got != http.StatusOK {
		t.Fatalf("readyz: %d", got)
	}
	w.Signal(syscall.SIGTERM)
	eventually(t, "readyz is 503", func() bool { return w.ready() == http.StatusServiceUnavailable })
	s := open(t, w.Dial(t), w.echo)
	if err := errors.Join(echoes(s, "a new session"), echoes(old, "an old one")); err != nil {
		t.Error(err)
	}
	for _, line := range w.Log() {
		if strings.Contains(line, `"draining"`) {
			t.Fatalf("the drain has begun: %s", line)
		}
	}
	w.WaitLog(`"draining"`)
	if _, err := product.Opened(t.Context(), w.Dial(t), w.echo); !errors.Is(err, wire.NewError(wire.Draining, "")) {
		t.Errorf("a new session in the drain: %v", err)
	}
	if err := errors.Join(old.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if code := w.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestSecondSignalEndsTheDelay: the second signal ends the server, however long the delay is.
func TestSecondSignalEndsTheDelay(t *testing.T) {
	w := newWorld(t, "--drain-delay", "1h", "--drain-timeout", "1h")
	open(t, w.Dial(t), w.echo)
	w.Signal(syscall.SIGTERM)
	eventually(t, "readyz is 503", func() bool { return w.ready() == http.StatusServiceUnavailable })
	w.Signal(syscall.SIGTERM)
	if code := w.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestAllSessionsAway: by default every session that there may be is kept when all lose their
// connections at once, as behind a balancer that is restarted.
func TestAllSessionsAway(t *testing.T) {
	const sessions = 520 // the server once kept 500 of its 1000
	w := newWorld(t)
	streams := make([]*mux.Stream, sessions)
	for i := range streams {
		c, _ := w.client()
		streams[i] = open(t, c, w.echo)
	}
	// Nothing comes back before all are away.
	w.proxy.SetUpstream("127.0.0.1:1")
	w.proxy.Cut(0)
	eventually(t, "all are away", func() bool {
		away := 0
		for _, line := range w.Log() {
			if strings.Contains(line, `"session parked"`) || strings.Contains(line, `"session detached"`) || strings.Contains(line, `"session ended"`) {
				away++
			}
		}
		return away >= sessions
	})
	w.proxy.SetUpstream(w.Addr())
	lost := 0
	for _, s := range streams {
		done := make(chan error, 1)
		go func() { done <- echoes(s, "after") }()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		select {
		case err := <-done:
			if err != nil {
				lost++
				t.Log(err)
			}
		case <-ctx.Done():
			t.Fatal("a stream neither goes on nor ends")
		}
		cancel()
	}
	if lost > 0 {
		t.Errorf("%d of %d sessions are lost", lost, sessions)
	}
}
