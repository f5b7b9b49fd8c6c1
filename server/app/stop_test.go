package app

import (
	"context"
	"testing"
	"time"
)

func TestEndOfContextOnlyDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stop, release := watch(ctx, time.Hour, func() {})
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
