package product_test

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStart(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1", "--admin", "127.0.0.1:0")
	if !regexp.MustCompile(`^http://127\.0\.0\.1:[1-9]\d*/$`).MatchString(s.URL()) {
		t.Errorf("URL %q", s.URL())
	}
	if want := "ws" + strings.TrimPrefix(s.URL(), "http") + "v1/connect"; "ws"+strings.TrimPrefix(s.ConnectURL(), "http") != want {
		t.Errorf("connect URL %q, want %q", s.ConnectURL(), want)
	}
	if want := "http://" + s.Addr() + "/"; s.URL() != want {
		t.Errorf("address %q of %q", s.Addr(), s.URL())
	}
	get(t, s.AdminURL()+"/metrics")
	get(t, s.URL()+"healthz")

	stream := product.Open(t, s.Dial(t), product.Echo(t))
	if _, err := io.WriteString(stream, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(stream); err != nil || string(answer) != "hello" {
		t.Errorf("the echo sent %q, %v", answer, err)
	}

	if got := s.Counts(t); got.Sessions != 1 || got.Parked != 0 || got.Streams > 1 {
		t.Errorf("%+v, want one session", got)
	}
	if f := s.Measure(t); f.Goroutines < 5 || f.Heap < 100<<10 {
		t.Errorf("%s", f)
	}
	s.WaitLog("listening")
	s.Signal(syscall.SIGTERM)
	s.WaitLog("draining")
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	log := s.Log()
	if last := log[len(log)-1]; !strings.Contains(last, "ended") {
		t.Errorf("the last line is %q", last)
	}
}

func get(t *testing.T, url string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, response.Status)
	}
}

func TestEnvironment(t *testing.T) {
	s := product.StartEnv(t, []string{"SOCKMUX_PREFIX=/tunnel/"}, "--log-format", "text", "--admin", "127.0.0.1:0")
	if !strings.HasSuffix(s.ConnectURL(), "/tunnel/v1/connect") {
		t.Errorf("connect URL %q", s.ConnectURL())
	}
	get(t, s.AdminURL()+"/metrics")
}

func TestRun(t *testing.T) {
	code, stdout, stderr := product.Run(t, "--version")
	if code != 0 || !strings.HasPrefix(stdout, "sockmux ") || stderr != "" {
		t.Errorf("--version: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = product.Run(t, "--no-such-flag")
	if code != 64 || stdout != "" || !strings.Contains(stderr, "no such flag") {
		t.Errorf("--no-such-flag: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestNeighbor(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	n := s.StartNeighbor(t, product.Echo(t), func(c *client.Config) { c.Agent = "neighbor" })
	for range 3 {
		if err := n.Exchange(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if r := n.Report(); r.Exchanges < 3 || r.Slowest <= 0 || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r := n.Stop(); r.Err != nil {
		t.Error(r.Err)
	}
}

func TestNeighborLosesItsStream(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	ends := make(chan struct{})
	target := product.Target(t, func(conn *net.TCPConn) {
		go func() { // ends with the connection
			_, _ = io.Copy(conn, conn)
		}()
		<-ends
	})
	n := s.StartNeighbor(t, target)
	if err := n.Exchange(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(ends)
	var lost error
	for lost == nil {
		lost = n.Exchange(t.Context())
	}
	if r := n.Stop(); r.Err == nil {
		t.Error("the neighbor has seen nothing")
	}
}
