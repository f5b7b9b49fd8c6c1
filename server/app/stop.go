package app

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stops are the two ways to end.
type stops struct {
	drain context.Context // ends at the first signal: finish what is under way
	now   context.Context // ends at the second: finish nothing
}

// endTime is how long the end may take behind the second signal. Each part of it has a
// bound that is shorter, so that only a mistake of ours takes longer.
const endTime = 15 * time.Second

// watch returns the stops of a process: SIGTERM and SIGINT ask. The end of ctx counts as the first
// signal. kill is called if the second signal has not led to release within that time. release ends
// both stops and gives the signals back.
func watch(ctx context.Context, within time.Duration, kill func()) (s stops, release func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	drain, startDrain := context.WithCancel(ctx)
	now, stopNow := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() { // release waits for it
		defer close(ended)
		var last *time.Timer // nil before the second signal
		for range signals {
			if drain.Err() != nil && last == nil {
				stopNow()
				last = time.AfterFunc(within, kill)
			}
			startDrain()
		}
		if last != nil {
			last.Stop()
		}
	}()
	return stops{drain, now}, func() {
		signal.Stop(signals) // after it returns nothing sends any more
		close(signals)
		<-ended
		startDrain()
		stopNow()
	}
}
