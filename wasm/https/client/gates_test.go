package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

func TestGatesLetOneGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		first, err := g.enter(t.Context(), "h")
		if err != nil {
			t.Fatal(err)
		}
		entered := make(chan error, 3)
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		go func() {
			_, err := g.enter(ctx, "h")
			entered <- err
		}()
		synctest.Wait()
		cancel(gone)
		if err := <-entered; err != gone {
			t.Errorf("a request that gave up: %v", err)
		}
		for range 2 {
			go func() {
				passed, err := g.enter(t.Context(), "h")
				passed(false)
				entered <- err
			}()
		}
		if _, err := g.enter(t.Context(), "another"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(entered) > 0 {
			t.Error("a second request went before the first had a connection")
		}
		first(true)
		first(false)
		for range 2 {
			if err := <-entered; err != nil {
				t.Error(err)
			}
		}
		if passed, err := g.enter(t.Context(), "h"); err != nil || len(g.first) != 1 {
			t.Errorf("a known host: %v, %d first", err, len(g.first))
		} else {
			passed(true)
		}
	})
}

// TestGatesDoNotQueueFailures: when the first has failed, all others try at once.
func TestGatesDoNotQueueFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gates
		first, _ := g.enter(t.Context(), "h")
		entered := make(chan struct{}, 9)
		for range 9 {
			go func() {
				_, _ = g.enter(t.Context(), "h")
				entered <- struct{}{}
			}()
		}
		synctest.Wait()
		first(false)
		synctest.Wait()
		if len(entered) != 9 {
			t.Errorf("%d of 9 went on", len(entered))
		}
	})
}

func TestGatesAreBounded(t *testing.T) {
	var g gates
	for i := range 2*maxKnown + 10 {
		passed, _ := g.enter(t.Context(), fmt.Sprint(i))
		passed(true)
	}
	if len(g.open) > maxKnown || len(g.first) != 0 {
		t.Errorf("%d and %d hosts are kept", len(g.open), len(g.first))
	}
}
