package product

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is after how long something is not going to happen. It is far above what a
// loaded machine needs.
const patience = 60 * time.Second

// Options say how the server is started. The zero value is that of Start.
type Options struct {
	// Env is the environment, beside PATH, HOME and TMPDIR: "SOCKMUX_GRACE=5s".
	Env []string
	// Stderr is the server's standard error; nil: it is kept for Log. The caller closes it.
	Stderr *os.File
	// Files is the soft and the hard limit of descriptors; 0: the test's own.
	Files int
	// Wrap is a command that ends in running another, such as "ip netns exec NAME". It must
	// replace itself (exec), so that its process becomes the server's.
	Wrap []string
	// Binary is the server's path; "": Binary().
	Binary string
}

// Start starts the server on a free port of 127.0.0.1, where args and environment do not say
// --listen, and waits for the line with its address. At the test's end it is stopped, and the
// test fails if it has crashed or has a data race.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return Options{}.Start(t, args...)
}

// StartEnv is Start with an environment.
func StartEnv(t testing.TB, env []string, args ...string) *Server {
	t.Helper()
	return Options{Env: env}.Start(t, args...)
}

// Run runs the command to its end, exactly with args, and returns what it printed.
func Run(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return Options{}.Run(t, args...)
}

// Run is as the function Run. It fails the test where the command does not end.
func (o Options) Run(t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	c := o.command(t, args)
	c.Stdout, c.Stderr = &out, &log
	if o.Stderr != nil {
		c.Stderr = o.Stderr
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = c.Process.Kill() }) // Wait tells
	defer hung.Stop()
	err := c.Wait()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if !c.ProcessState.Exited() {
		t.Fatalf("sockmux %q: %v\n%s", args, err, log.String())
	}
	return c.ProcessState.ExitCode(), out.String(), log.String()
}

// command returns the command that runs the server.
func (o Options) command(t testing.TB, args []string) *exec.Cmd {
	t.Helper()
	binary := o.Binary
	if binary == "" {
		var err error
		if binary, err = Binary(); err != nil {
			t.Fatal(err)
		}
	}
	line := append([]string{binary}, args...)
	if o.Files > 0 {
		script := fmt.Sprintf(`ulimit -n %d && exec "$@"`, o.Files)
		line = append([]string{"sh", "-c", script, "sh"}, line...)
	}
	line = slices.Concat(o.Wrap, line)
	c := exec.Command(line[0], line[1:]...)
	c.Env = o.environment()
	return c
}

func (o Options) environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return append(env, o.Env...)
}

// listens reports whether the caller has said where the server listens.
func (o Options) listens(args []string) bool {
	said := func(text, name string) bool {
		return text == name || strings.HasPrefix(text, name+"=")
	}
	return slices.ContainsFunc(args, func(a string) bool { return said(a, "--listen") || said(a, "--config") }) ||
		slices.ContainsFunc(o.Env, func(e string) bool { return said(e, "SOCKMUX_LISTEN") || said(e, "SOCKMUX_CONFIG") })
}

// Start is as the function Start.
func (o Options) Start(t testing.TB, args ...string) *Server {
	t.Helper()
	if !o.listens(args) {
		args = append([]string{"--listen", "127.0.0.1:0"}, args...)
	}
	s := &Server{t: t, command: o.command(t, args), log: new(output), out: newFirstLine(), ended: make(chan struct{})}
	s.command.Stdout = s.out
	s.command.Stderr = s.log
	if o.Stderr != nil {
		s.command.Stderr = o.Stderr
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go s.wait() // stop waits for it
	t.Cleanup(s.stop)
	s.awaitAddress()
	return s
}
