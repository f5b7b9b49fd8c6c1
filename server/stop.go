package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stops are the two ways to end.
type stops struct {
	drain context.Context // ends at the first signal: finish what is under way
	now   context.Context // ends at the second: finish nothing
}

// watch returns the stops of a process: SIGTERM and SIGINT ask. The end of ctx counts as the first
// signal. release ends both and gives the signals back.
func watch(ctx context.Context) (s stops, release func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	// A reader of the log that dies must not take the server with it, which a write to a broken
	// pipe does where it is standard error.
	signal.Ignore(syscall.SIGPIPE)
	drain, startDrain := context.WithCancel(ctx)
	now, stopNow := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { // release waits for it
		defer close(ended)
		for range signals {
			if drain.Err() != nil {
				stopNow()
			}
			startDrain()
		}
	}()
	return stops{drain, now}, func() {
		signal.Reset(syscall.SIGPIPE)
		signal.Stop(signals) // after it returns nothing sends any more
		close(signals)
		<-ended
		startDrain()
		stopNow()
	}
}
