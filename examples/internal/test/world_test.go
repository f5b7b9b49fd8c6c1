package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
)

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// built is the folder with the examples' programs.
var built string

func TestMain(m *testing.M) {
	code, err := build(m)
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error()) // there is nowhere else to say it
		code = 1
	}
	os.Exit(code)
}

func build(m *testing.M) (code int, err error) {
	if built, err = os.MkdirTemp("", "sockmux-examples"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(built)) }()
	compile := exec.Command("go", "build", "-o", built, "./native", "./yamux-go", "./http", "./ssh", "./pgx", "./grpc")
	compile.Dir = "../.."
	compile.Stderr = os.Stderr
	if err := compile.Run(); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// run runs an example to its end.
func run(t *testing.T, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	c := exec.Command(filepath.Join(built, name), args...)
	c.Stdout, c.Stderr = &out, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = c.Process.Kill() }) // Wait tells
	defer hung.Stop()
	err := c.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), log.String()
}

// dialerFor returns a dialer of a server, for tests of what the examples do not show.
func dialerFor(t *testing.T, server *product.Server) *sockmux.Dialer {
	t.Helper()
	d := &sockmux.Dialer{URL: server.URL()}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// missing skips the test, or fails it where everything must be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SOCKMUX_REQUIRE_SERVICES") != "" {
		t.Fatalf("%s is not installed", what)
	}
	t.Skipf("%s is not installed: run tools/ensure-services as root", what)
}

// service runs a server of another project until the test ends. It returns when the log has a
// text. The process ends by a signal.
func service(t *testing.T, command *exec.Cmd, ready string, end syscall.Signal) {
	t.Helper()
	log := &watched{ready: ready, seen: make(chan struct{})}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() {
		_ = command.Process.Signal(end) // it may have ended by itself
		hung := time.AfterFunc(patience, func() { _ = command.Process.Kill() })
		defer hung.Stop()
		<-ended
		if t.Failed() {
			t.Logf("the log of %s:\n%s", filepath.Base(command.Path), log)
		}
	})
	select {
	case <-log.seen:
	case err := <-ended:
		ended <- err
		t.Fatalf("%s ended: %v", command.Path, err)
	case <-time.After(patience):
		t.Fatalf("%s is not ready", command.Path)
	}
}

// watched is a log that closes seen when it has the text ready.
type watched struct {
	ready string
	seen  chan struct{}

	mu   sync.Mutex
	text strings.Builder
	done bool
}

// Write never fails.
func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(b)
	if !w.done && strings.Contains(w.text.String(), w.ready) {
		w.done = true
		close(w.seen)
	}
	return len(b), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
