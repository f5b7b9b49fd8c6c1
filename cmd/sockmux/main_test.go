package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// go install gives a command of the right name, which says what it is.
func TestInstalledName(t *testing.T) {
	folder := t.TempDir()
	install := exec.Command("go", "install", ".")
	install.Env = append(os.Environ(), "GOBIN="+folder, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	name := "sockmux"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	out, err := exec.Command(filepath.Join(folder, name), "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "sockmux ") {
		t.Errorf("%q, %v", out, err)
	}
}
