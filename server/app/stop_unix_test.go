//go:build unix

package app

import (
	"context"
	"os"
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
