package main

import (
	"context"
	"testing"
)

func TestEndOfContextOnlyDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stop, release := watch(ctx)
	cancel()
	<-stop.drain.Done()
	if stop.now.Err() != nil {
		t.Error("nothing is left to finish")
	}
	release()
	if stop.now.Err() == nil {
		t.Error("released and not ended")
	}
}
