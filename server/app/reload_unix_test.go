//go:build unix

package app_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
)

func TestSIGHUP(t *testing.T) {
	r := command.Start(t, "--demo")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	r.Logged(t, `"msg":"reloading"`, `"reason":"SIGHUP"`)
	r.Logged(t, `"msg":"reloaded"`, `"policies":"default"`)
	if status, _ := command.Fetch(t, r.URL+"healthz"); status != 200 {
		t.Errorf("status %d", status)
	}
}
