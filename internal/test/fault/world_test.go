package fault_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(strings.Fields(role)))
	}
	goleak.VerifyTestMain(m)
}

// soak reports whether the tests run at their full size (make soak).
var soak = os.Getenv("SOCKMUX_SOAK") != ""

// scaled is a size of the suite or, in a soak, of the soak.
func scaled[T any](suite, full T) T {
	if soak {
		return full
	}
	return suite
}

// quick are the flags of a server that finds dead connections in 2 s instead of 20 s.
var quick = []string{"--keepalive", "1s"}

// patient are those of a server that does not doubt a silent connection during a test.
var patient = []string{"--keepalive", "5m"}

// startServer starts the server with targets on loopback allowed and a minute of grace.
func startServer(t *testing.T, flags []string, more ...string) *product.Server {
	t.Helper()
	return product.Start(t, slices.Concat([]string{"--admin", "127.0.0.1:0", "--allow", "127.0.0.1", "--grace", "1m"}, flags, more)...)
}

// world is a server behind a proxy, and targets.
type world struct {
	*product.Server
	t     *testing.T
	proxy *fault.Proxy
}

func newWorld(t *testing.T, flags []string, more ...string) *world {
	t.Helper()
	s := startServer(t, flags, more...)
	return &world{Server: s, t: t, proxy: newProxy(t, s.Addr())}
}

func newProxy(t *testing.T, upstream string) *fault.Proxy {
	t.Helper()
	p, err := fault.Listen(upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// dialer opens carriers to an address, each over a TCP connection of its own.
func dialer(addr func() string) func(context.Context) (link.Carrier, error) {
	return func(ctx context.Context) (link.Carrier, error) {
		return product.Transport("http://" + addr() + "/v1/connect")(ctx)
	}
}

// states keeps what a client was told.
type states struct {
	mu   sync.Mutex
	all  []client.State
	news chan struct{} // closed with the next state
}

func (s *states) add(state client.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, state)
	close(s.news)
	s.news = make(chan struct{})
}

// await returns the first state from the given number on that fits, and the number of the
// state after it.
func (s *states) await(t *testing.T, from int, what string, fits func(client.State) bool) (client.State, int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		for i := from; i < len(s.all); i++ {
			if fits(s.all[i]) {
				defer s.mu.Unlock()
				return s.all[i], i + 1
			}
		}
		from = len(s.all)
		news := s.news
		s.mu.Unlock()
		select {
		case <-news:
		case <-timeout:
			t.Fatalf("never: %s; states %v", what, s.all)
		}
	}
}

// has reports whether a state from the given number on fits.
func (s *states) has(from int, fits func(client.State) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.all[from:], fits)
}

func (s *states) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

func is(phase client.Phase) func(client.State) bool {
	return func(s client.State) bool { return s.Phase == phase }
}

// client returns a client through the proxy. It ends before the server.
func (w *world) client() (*client.Client, *states) {
	return newClient(w.t, dialer(w.proxy.Addr))
}

func newClient(t *testing.T, dial func(context.Context) (link.Carrier, error)) (*client.Client, *states) {
	s := &states{news: make(chan struct{})}
	c := client.New(client.Config{Dial: dial, Bare: true, OnState: s.add})
	t.Cleanup(c.Close)
	return c, s
}

// eventually polls a figure.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	servertest.Eventually(t, patience, what, ok)
}

// noise is bytes that no compressor and no shift by a byte leaves the same.
func noise(seed uint64) io.Reader {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	return rand.NewChaCha8(key)
}

// digest is the SHA-256 of the first n bytes of a noise.
func digest(seed uint64, n int64) string {
	h := sha256.New()
	_, _ = io.CopyN(h, noise(seed), n) // neither end fails
	return hex.EncodeToString(h.Sum(nil))
}

// mover is a target that moves bytes and counts. The first line says what: "down SEED N"
// sends N bytes of noise and FIN; "up" reads to FIN and answers "N SHA-256"; "echo" sends
// back what it gets.
func mover(conn *net.TCPConn) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := conn.Read(b); err != nil {
			return
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	words := strings.Fields(string(line))
	switch words[0] {
	case "down":
		seed, _ := strconv.ParseUint(words[1], 10, 64) // the tests' own text
		n, _ := strconv.ParseInt(words[2], 10, 64)
		if _, err := io.CopyN(conn, noise(seed), n); err != nil {
			return
		}
	case "up":
		h := sha256.New()
		n, err := io.Copy(h, conn)
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "%d %x\n", n, h.Sum(nil))
	case "echo":
		if _, err := io.Copy(conn, conn); err != nil {
			return
		}
	}
	_ = conn.CloseWrite()
	_, _ = io.Copy(io.Discard, conn) // until the other end has gone as well
}

// count is an io.Writer that counts into a total.
type count struct{ total *atomic.Int64 }

func (c count) Write(b []byte) (int, error) {
	c.total.Add(int64(len(b)))
	return len(b), nil
}

// download fetches n bytes and checks them.
func download(s *mux.Stream, seed uint64, n int64, moved *atomic.Int64) error {
	defer s.Close()
	if _, err := fmt.Fprintf(s, "down %d %d\n", seed, n); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	h := sha256.New()
	got, err := io.Copy(io.MultiWriter(h, count{moved}), s)
	if err != nil {
		return fmt.Errorf("download after %d of %d bytes: %w", got, n, err)
	}
	if got != n {
		return fmt.Errorf("downloaded %d bytes, want %d", got, n)
	}
	if text := hex.EncodeToString(h.Sum(nil)); text != digest(seed, n) {
		return errors.New("the bytes differ from those that were sent")
	}
	return nil
}

// upload sends n bytes and checks what the target says of them.
func upload(s *mux.Stream, seed uint64, n int64, moved *atomic.Int64) error {
	defer s.Close()
	if _, err := io.WriteString(s, "up\n"); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	sent, err := io.CopyN(s, io.TeeReader(noise(seed), count{moved}), n)
	if err != nil {
		return fmt.Errorf("upload after %d of %d bytes: %w", sent, n, err)
	}
	if err := s.CloseWrite(); err != nil {
		return fmt.Errorf("half-close: %w", err)
	}
	answer, err := io.ReadAll(s)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if want := fmt.Sprintf("%d %s\n", n, digest(seed, n)); string(answer) != want {
		return fmt.Errorf("the target says %q, want %q", answer, want)
	}
	return nil
}

// isCode reports whether an error is one of the protocol's.
func isCode(err error, code wire.Code) bool { return errors.Is(err, wire.NewError(code, "")) }

// countDials is a mover that counts its connections.
func countDials(total *atomic.Int64) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		total.Add(1)
		mover(conn)
	}
}
