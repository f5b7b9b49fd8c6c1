package resume_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is after how long something is not going to happen.
const patience = time.Minute

// world is the assembled server behind a proxy that fails on demand, and an echo.
type world struct {
	*product.Server
	t     *testing.T
	proxy *fault.Proxy
	echo  netip.AddrPort
}

func newWorld(t *testing.T, args ...string) *world {
	t.Helper()
	echo := product.Echo(t)
	s := product.Start(t, append([]string{"--allow", echo.String()}, args...)...)
	proxy, err := fault.Listen(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return &world{Server: s, t: t, proxy: proxy, echo: echo}
}

// url is that of the proxy.
func (w *world) url() string { return "ws://" + w.proxy.Addr() + "/v1/connect" }

// states keeps what a client says of its session.
type states struct {
	mu  sync.Mutex
	all []client.State
}

func (s *states) add(state client.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, state)
}

func (s *states) count(phase client.Phase) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, state := range s.all {
		if state.Phase == phase {
			n++
		}
	}
	return n
}

func (s *states) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := ""
	for _, state := range s.all {
		text += fmt.Sprintf("\n%s, attempt %d, %v", state.Phase, state.Attempt, state.Reason)
	}
	return text
}

// client returns a client through the proxy.
func (w *world) client() (*client.Client, *states) {
	s := new(states)
	return product.Dial(w.t, w.url(), func(c *client.Config) { c.OnState = s.add }), s
}

// echoes sends a text over a stream and wants it back.
func echoes(s *mux.Stream, text string) error {
	if _, err := io.WriteString(s, text); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(s, got); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if string(got) != text {
		return fmt.Errorf("echo %q of %q", got, text)
	}
	return nil
}

// eventually polls.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(10 * time.Millisecond): // paces the polls
		}
	}
}
