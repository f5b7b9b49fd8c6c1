//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

func TestSIGHUP(t *testing.T) {
	r := start(t, "--demo")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	r.logged(t, `"msg":"reloading"`, `"reason":"SIGHUP"`)
	r.logged(t, `"msg":"reloaded"`, `"policies":"default"`)
	if status, _ := fetch(t, r.url+"healthz"); status != 200 {
		t.Errorf("status %d", status)
	}
}
