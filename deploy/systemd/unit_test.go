// Package systemd has tests only: what systemd's own tools say of the unit.
package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// analyze gives systemd-analyze and the unit in a file of its name; its program is one
// that is there.
func analyze(t *testing.T) (program, unit string) {
	t.Helper()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	content, err := os.ReadFile("sockmux.service")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const installed = "ExecStart=/usr/local/bin/sockmux\n"
	if !strings.Contains(string(content), installed) {
		t.Fatalf("the unit has no %q", installed)
	}
	unit = filepath.Join(t.TempDir(), "sockmux.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(content), installed, "ExecStart="+self+"\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return program, unit
}

func TestVerify(t *testing.T) {
	program, unit := analyze(t)
	if out, err := exec.Command(program, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// mostExposure is what systemd-analyze security may say, of 10; docs/DEPLOYMENT.md has
// what it says.
const mostExposure = 2.0

func TestExposure(t *testing.T) {
	program, unit := analyze(t)
	out, err := exec.Command(program, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if strings.Contains(string(out), "unrecognized option") {
		t.Skip("this systemd-analyze is older than 250 and reads no files")
	}
	found := regexp.MustCompile(`Overall exposure level for sockmux\.service: (\d+\.\d+)`).FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > mostExposure {
		t.Errorf("exposure %s, want at most %.1f\n%s", found[1], mostExposure, out)
	}
	t.Logf("exposure %s", found[1])
}
