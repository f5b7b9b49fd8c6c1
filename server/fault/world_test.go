package fault_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/carrier"
	"github.com/sockmux/sockmux/server/fault"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/server/policy"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/servertest"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

// soak says whether the tests run at their full size (make soak).
var soak = os.Getenv("SOCKMUX_SOAK") != ""

// scaled is a size of the suite or, in a soak, of the soak.
func scaled[T any](suite, full T) T {
	if soak {
		return full
	}
	return suite
}

// backend is the server: real WebSockets, sessions and the relay.
type backend struct {
	registry *session.Registry
	relay    *relay.Relay
	server   *http.Server
	addr     string
	serves   sync.WaitGroup
}

// quick finds dead carriers in 400 ms instead of 20 s.
var quick = session.Config{Grace: time.Minute, MaxParked: 100, Keepalive: 200 * time.Millisecond}

func startBackend(config session.Config, address string) (*backend, error) {
	rule, err := policy.ParseRule(true, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	b := &backend{relay: relay.New(relay.Config{Policy: policy.New([]policy.Rule{rule}), Events: config.Events})}
	config.Handle = func(ctx context.Context, s *mux.Stream, _ session.Client) { b.relay.Serve(ctx, s) }
	b.registry = session.New(config)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		b.registry.Close()
		return nil, err
	}
	b.addr = listener.Addr().String()
	b.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := carrier.Accept(w, r, nil)
		if err != nil {
			return // the client was told
		}
		_ = b.registry.Serve(context.WithoutCancel(r.Context()), c, session.Peer{Address: r.RemoteAddr}) // the tests look at the client's end
	})}
	b.serves.Go(func() { _ = b.server.Serve(listener) }) // ends with the server
	return b, nil
}

func (b *backend) stop() {
	b.registry.Close()
	_ = b.server.Close() // its connections are cut
	b.serves.Wait()
}

// world is a backend behind a proxy, and targets.
type world struct {
	*backend
	t     *testing.T
	proxy *fault.Proxy
}

func newWorld(t *testing.T, config session.Config) *world {
	t.Helper()
	log := new(lines)
	if config.Events == nil {
		config.Events = oplog.NewSink(slog.New(slog.NewTextHandler(log, nil)))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the server's last words:\n%s", log)
		}
	})
	b, err := startBackend(config, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.stop() })
	return &world{backend: b, t: t, proxy: newProxy(t, b.addr)}
}

// lines keeps the last lines of a log.
type lines struct {
	mu   sync.Mutex
	last []string
}

// kept is how many.
const kept = 40

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, string(b))
	l.last = l.last[max(0, len(l.last)-kept):]
	return len(b), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.last, "")
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
		transport := &http.Transport{DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		c, err := carrier.Dial(ctx, "ws://"+addr()+"/v1/connect", &http.Client{Transport: transport}, nil)
		if err != nil {
			return nil, err
		}
		return c, nil
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

// await returns the first state from the given number on that fits, and the number of the state after it.
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

// has says whether a state from the given number on fits.
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

// client returns a client through the proxy. It ends before the backend.
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

// service starts a target; it ends with the test.
func service(t *testing.T, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	addr, stop, err := listen(serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return addr
}

func listen(serve func(*net.TCPConn)) (addr netip.AddrPort, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	var tasks sync.WaitGroup
	var mu sync.Mutex
	conns := make(map[net.Conn]struct{})
	tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns[conn] = struct{}{}
			mu.Unlock()
			tasks.Go(func() {
				serve(conn.(*net.TCPConn))
				mu.Lock()
				delete(conns, conn)
				mu.Unlock()
				_ = conn.Close() // the service is done with it
			})
		}
	})
	return listener.Addr().(*net.TCPAddr).AddrPort(), func() {
		_ = listener.Close()
		mu.Lock()
		for conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		tasks.Wait()
	}, nil
}

// open opens a stream to a target and waits until it is there.
func open(t *testing.T, c *client.Client, target netip.AddrPort) *mux.Stream {
	t.Helper()
	s, err := opened(t.Context(), c, target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(target netip.AddrPort) wire.Request {
	return wire.Request{Kind: wire.TCP, Host: target.Addr().String(), Port: target.Port()}
}

func opened(ctx context.Context, c *client.Client, target netip.AddrPort) (*mux.Stream, error) {
	s, err := c.Open(request(target))
	if err != nil {
		return nil, err
	}
	result, err := s.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
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

// mover is a target that moves bytes and counts. The first line says what: "down SEED N" sends N bytes of noise and FIN; "up" reads to FIN and answers
// "N SHA-256"; "echo" sends back what it gets.
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

// isCode says whether an error is one of the protocol's.
func isCode(err error, code wire.Code) bool { return errors.Is(err, wire.NewError(code, "")) }

// countDials is a mover that counts its connections.
func countDials(total *atomic.Int64) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		total.Add(1)
		mover(conn)
	}
}
