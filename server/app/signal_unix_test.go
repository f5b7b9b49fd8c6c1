//go:build unix

package app_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
)

func TestSignalEndsTheServer(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		r := command.Start(t, "--log-format", "text")
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		if code := <-r.Code; code != 0 {
			t.Errorf("%s: exit code %d, stderr:\n%s", signal, code, r.Stderr)
		}
		if !strings.Contains(r.Stderr.String(), "msg=draining timeout=30s sessions=0 streams=0") {
			t.Errorf("stderr:\n%s", r.Stderr)
		}
	}
}

// The second signal ends what the first left.
func TestSecondSignalEndsTheDrain(t *testing.T) {
	r := command.Start(t, "--demo", "--drain-timeout", "1h")
	page := command.Connect(t, r, "")
	stream, _ := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
	defer stream.Close()
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-page.Drained: // so the first has been seen before the second is sent
		case <-page.Done():
		}
	}
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d, stderr:\n%s", code, r.Stderr)
	}
}
