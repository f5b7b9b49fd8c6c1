// Package command runs the whole command in the test's process.
//
//	r := command.Start(t, "--demo")
//	stream, result := command.Connect(t, r, "").Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/cli"
)

// Running is a server in this process.
type Running struct {
	URL    string // as printed
	Line   string // the whole line
	Stderr *servertest.Log
	Ask    context.CancelFunc // asks for the end
	Code   <-chan int
}

// Start runs the command on a free port until the test ends.
func Start(t *testing.T, args ...string) *Running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, printed := io.Pipe()
	r := &Running{Stderr: new(servertest.Log), Ask: cancel}
	code := make(chan int, 1)
	r.Code = code
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		code <- cli.Run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), nil, strings.NewReader(""), printed, r.Stderr)
		printed.Close()
	}()
	t.Cleanup(func() {
		cancel()
		stdout.Close()
		<-ended
		http.DefaultClient.CloseIdleConnections()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no line on stdout: %v, exit code %d, stderr:\n%s", err, <-code, r.Stderr)
	}
	r.Line = strings.TrimSuffix(line, "\n")
	_, r.URL, _ = strings.Cut(r.Line, ": ")
	return r
}

// Logs waits until the log has the text: lines are written by a goroutine of their own.
func (r *Running) Logs(t *testing.T, text string) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, "the log has "+text, func() bool { return strings.Contains(r.Stderr.String(), text) })
}

// Fetch returns the status and the body of an answer.
func Fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// Logged waits until the log has a line with all of the parts.
func (r *Running) Logged(t *testing.T, parts ...string) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, fmt.Sprintf("the log has a line with %q", parts), func() bool {
		for line := range strings.Lines(r.Stderr.String()) {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
				return true
			}
		}
		return false
	})
}

// Finish ends a server and wants that to go well.
func (r *Running) Finish(t *testing.T) {
	t.Helper()
	r.Ask()
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d, log %s", code, r.Stderr)
	}
}
