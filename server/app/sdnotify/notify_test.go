//go:build unix

package sdnotify

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// systemd listens as the service manager does.
func systemd(t *testing.T) (socket string, receive func() string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "n") // t.TempDir is too long for a socket's path on some systems
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return socket, func() string {
		t.Helper()
		b := make([]byte, 4096)
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestSend(t *testing.T) {
	socket, receive := systemd(t)
	t.Setenv(Variable, socket)
	if err := Send(Ready, Status+"serving"); err != nil {
		t.Fatal(err)
	}
	if got := receive(); got != "READY=1\nSTATUS=serving" {
		t.Errorf("%q", got)
	}
	if err := Send(Reloading()); err != nil {
		t.Fatal(err)
	}
	if got := receive(); !regexp.MustCompile(`^RELOADING=1\nMONOTONIC_USEC=[1-9]\d*$`).MatchString(got) {
		t.Errorf("%q", got)
	}
	if err := Send(Stopping); err != nil {
		t.Fatal(err)
	}
	if got := receive(); got != "STOPPING=1" {
		t.Errorf("%q", got)
	}
}

func TestSendToNobody(t *testing.T) {
	t.Setenv(Variable, "")
	if err := Send(Ready); err != nil {
		t.Errorf("outside systemd: %v", err)
	}
	if err := SendTo(filepath.Join(t.TempDir(), "none"), Ready); err == nil || !strings.HasPrefix(err.Error(), "notify systemd: ") {
		t.Errorf("error %v", err)
	}
}
