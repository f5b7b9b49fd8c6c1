package operate_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// file writes a file that only its owner can read.
func file(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A file that an editor or a full disk has emptied changes nothing. One of comments only
// does not either.
func TestEmptiedFileIsRefusedAtReload(t *testing.T) {
	const rules = "listen: 127.0.0.1:0\nallow: 127.0.0.1\npolicies: {default: }\n"
	echo := product.Echo(t)
	dir := t.TempDir()
	path := file(t, dir, "sockmux.yaml", "listen: 127.0.0.1:0\ndeny: [demo.test, 127.0.0.1]\n")
	s := product.Start(t, "--config", path)
	c := s.Dial(t)
	denied := func(when string) {
		t.Helper()
		r := product.Answer(t, c, echo.Addr().String(), echo.Port())
		if want := `the rule "deny 127.0.0.1"`; r.Code != wire.Denied || !strings.Contains(r.Text, want) {
			t.Errorf("%s: %s %s, want %s", when, r.Code, r.Text, want)
		}
	}
	denied("at the start")
	for i, text := range []string{"", "# deny: [demo.test, 127.0.0.1]\n", "limits:\n"} {
		file(t, dir, "sockmux.yaml", text)
		s.Signal(syscall.SIGHUP)
		waitCount(t, s, "reload refused: everything stays as it was", i+1)
		denied("with " + text)
	}
	file(t, dir, "sockmux.yaml", rules)
	s.Signal(syscall.SIGHUP)
	waitCount(t, s, `"reloaded"`, 1)
	if r := product.Answer(t, c, echo.Addr().String(), echo.Port()); r.Code != wire.OK {
		t.Errorf("with content again: %s %s", r.Code, r.Text)
	}
}

// waitCount waits until a text is in so many lines of the log.
func waitCount(t *testing.T, s *product.Server, text string, want int) {
	t.Helper()
	expired := time.After(patience)
	for tick := time.Tick(20 * time.Millisecond); ; {
		n := 0
		for _, line := range s.Log() {
			if strings.Contains(line, text) {
				n++
			}
		}
		if n >= want {
			return
		}
		select {
		case <-tick:
		case <-expired:
			t.Fatalf("%q is in %d lines of the log, want %d:\n%s", text, n, want, strings.Join(s.Log(), "\n"))
		}
	}
}

// Each warning and mistake is what --check-config prints.
func TestCheckConfig(t *testing.T) {
	dir := t.TempDir()
	empty := file(t, dir, "empty.yaml", "# nothing\n")
	credentials := file(t, dir, "credentials", "alice:secret\n")
	if err := os.Chmod(credentials, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		good bool
		want string // in what it prints
	}{
		{[]string{"--config", empty}, true, "holds no setting and no policy"},
		{[]string{"--allow", "0.0.0.0/0"}, true, "169.254.169.254, where a cloud"},
		{[]string{"--allow", "[fd00::]/8"}, true, "where a cloud"},
		{[]string{"--egress-proxy", "http://192.0.2.1:3128", "--egress-proxy-credentials", credentials}, true, "every user of this machine can read"},
		{[]string{"--trusted-proxies", "127.0.0.1", "--allow-origin", "https://tunnel.example.org"}, false, "need no credentials"},
	} {
		code, stdout, stderr := product.Run(t, append(test.args, "--check-config")...)
		if (code == 0) != test.good || !strings.Contains(stdout+stderr, test.want) {
			t.Errorf("%q: exit code %d, %s%s; want %q", test.args, code, stdout, stderr, test.want)
		}
	}
	// An empty file at the start is no reason not to start.
	product.Start(t, "--config", empty, "--listen", "127.0.0.1:0").WaitLog("holds no setting")
}
