//go:build unix

package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSecondSignalStopsAtOnce(t *testing.T) {
	stop, release := watch(t.Context(), time.Hour, func() {})
	defer release()
	for i, step := range []context.Context{stop.drain, stop.now} {
		if step.Err() != nil {
			t.Fatalf("signal %d has come too early", i+1)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-step.Done()
	}
}

// The second signal ends also a process that hangs.
func TestSecondSignalKillsAtLast(t *testing.T) {
	killed := make(chan struct{})
	stop, release := watch(t.Context(), time.Millisecond, func() { close(killed) })
	defer release()
	for _, step := range []context.Context{stop.drain, stop.now} {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-step.Done()
	}
	<-killed
}

func TestSignalEndsTheServer(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		r := start(t, "--log-format", "text")
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		if code := <-r.code; code != 0 {
			t.Errorf("%s: exit code %d, stderr:\n%s", signal, code, r.stderr)
		}
		if !strings.Contains(r.stderr.String(), "msg=draining timeout=30s sessions=0 streams=0") {
			t.Errorf("stderr:\n%s", r.stderr)
		}
	}
}

// The second signal ends what the first left.
func TestSecondSignalEndsTheDrain(t *testing.T) {
	r := start(t, "--demo", "--drain-timeout", "1h")
	page := connect(t, r, "")
	stream, _ := page.open(t, "127.0.0.1", demoPort(t, r, "echo"))
	defer stream.Close()
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-page.drained: // so the first has been seen before the second is sent
		case <-page.Done():
		}
	}
	if code := <-r.code; code != 0 {
		t.Errorf("exit code %d, stderr:\n%s", code, r.stderr)
	}
}
