package test

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
)

// openSSH starts OpenSSH's server. It returns USER@HOST:PORT and the folder with the keys.
func openSSH(t *testing.T) (target, dir string) {
	t.Helper()
	if _, err := exec.LookPath("sshd"); err != nil {
		if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
			missing(t, "sshd")
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), ports.FreeFor(t)
	service(t, exec.Command("./sshd", dir, port), "Server listening", syscall.SIGTERM)
	return me.Username + "@127.0.0.1:" + port, dir
}

func TestSSH(t *testing.T) {
	target, dir := openSSH(t)
	server := product.Start(t, "--allow", "127.0.0.1")
	flags := []string{"--server", server.URL(), "--known-hosts", filepath.Join(dir, "known_hosts"), "--identity", filepath.Join(dir, "user")}
	ssh := func(args ...string) (int, string, string) {
		t.Helper()
		return run(t, "ssh", append(flags, args...)...)
	}

	code, stdout, stderr := ssh(target, "echo out; echo err >&2; exit 7")
	if code != 7 || stdout != "out\n" || stderr != "err\n" {
		t.Errorf("a command: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	const size = 20 << 20
	if code, stdout, stderr = ssh(target, "head -c "+strconv.Itoa(size)+" /dev/zero"); code != 0 || len(stdout) != size {
		t.Errorf("much output: exit code %d, %d bytes, stderr %q", code, len(stdout), stderr)
	}
	if code, _, stderr = ssh("stranger@"+target[strings.Index(target, "@")+1:], "true"); code != 1 || !strings.Contains(stderr, "unable to authenticate") {
		t.Errorf("another user: exit code %d, %q", code, stderr)
	}
	if code, _, stderr = ssh("127.0.0.1:"+ports.FreeFor(t), "true"); code != 1 || !strings.Contains(stderr, "refused") {
		t.Errorf("a port without a listener: exit code %d, %q", code, stderr)
	}

	known, err := os.ReadFile(filepath.Join(dir, "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(dir, "user.pub"))
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ := strings.Cut(string(known), " ")
	if err := os.WriteFile(filepath.Join(dir, "known_hosts"), []byte(host+" "+string(other)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr = ssh(target, "true"); code != 1 || !strings.Contains(stderr, "key mismatch") {
		t.Errorf("the key of another host: exit code %d, %q", code, stderr)
	}
}
