//go:build unix

package app_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/server/app/sdnotify"
)

// systemd is told when the server serves and when it begins to end.
func TestNotify(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // t.TempDir is too long for a socket's path on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"}
	systemd, err := net.ListenUnixgram("unixgram", address)
	if err != nil {
		t.Fatal(err)
	}
	defer systemd.Close()
	t.Setenv(sdnotify.Variable, address.Name)
	told := func(want string) {
		t.Helper()
		b := make([]byte, 4096)
		n, err := systemd.Read(b)
		if err != nil || string(b[:n]) != want {
			t.Fatalf("told %q, %v, want %q", b[:n], err, want)
		}
	}
	r := command.Start(t)
	told("READY=1")
	r.Ask()
	told("STOPPING=1")
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d", code)
	}
}
