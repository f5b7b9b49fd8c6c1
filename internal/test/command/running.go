package command

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/cli"
)

// running is a server in this process.
type Running struct {
	URL    string // as printed
	Line   string // the whole line
	Stderr *servertest.Log
	Ask    context.CancelFunc // asks for the end
	Code   <-chan int
}

// start runs the command on a free port until the test ends.
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

// logs waits until the log has the text: lines are written by a goroutine of their own.
func (r *Running) Logs(t *testing.T, text string) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, "the log has "+text, func() bool { return strings.Contains(r.Stderr.String(), text) })
}

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

// logged waits until the log has a line with all of the parts.
func (r *Running) Logged(t *testing.T, parts ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		for line := range strings.Lines(r.Stderr.String()) {
			all := true
			for _, part := range parts {
				all = all && strings.Contains(line, part)
			}
			if all {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("no line with %q in the log\n%s", parts, r.Stderr)
		}
		time.Sleep(5 * time.Millisecond) // polls, bounded above
	}
}

// finish ends a server and wants that to go well.
func (r *Running) Finish(t *testing.T) {
	t.Helper()
	r.Ask()
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d, log %s", code, r.Stderr)
	}
}
