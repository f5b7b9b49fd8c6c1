package posix

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns come in the order in which they were asked for. One that gives up holds up none.
func TestTurns(t *testing.T) {
	var all turns
	first, second, third := all.ask(), all.ask(), all.ask()
	if !first.now() || second.now() || third.now() {
		t.Fatal("not the first alone")
	}
	second.done() // it gives up
	first.done()
	if !third.now() {
		t.Error("the third waits for the second")
	}
	third.done()
	if next := all.ask(); !next.now() {
		t.Error("a turn that is over is kept")
	}
}

// TestTurnsWait ends with the turn or the context, whichever comes first.
func TestTurnsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		first, second := all.ask(), all.ask()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if began := time.Now(); second.wait(ctx) || time.Since(began) != time.Second {
			t.Errorf("it waited for %s", time.Since(began))
		}
		came := make(chan bool)
		go func() { came <- second.wait(t.Context()) }()
		synctest.Wait()
		first.done()
		if !<-came {
			t.Error("the turn did not come")
		}
		second.done()
	})
}
