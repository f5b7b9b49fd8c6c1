package client_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestDialHasABound: a dial that hears nothing ends, at the first connection and at a resume.
func TestDialHasABound(t *testing.T) {
	const least, most = 10 * time.Second, 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: t, answer: welcome}
		var swallows atomic.Bool
		swallows.Store(true)
		took := make(chan time.Duration, 100)
		c := client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
			if !swallows.Load() {
				return s.dial(ctx)
			}
			began := time.Now()
			<-ctx.Done()
			took <- time.Since(began)
			return nil, ctx.Err()
		}})
		if e := end(t, c); e.Code != wire.NotConnected {
			t.Errorf("the stream ended with %v", e)
		}
		first := len(took)

		swallows.Store(false)
		stream := mustOpen(t, c)
		if _, err := stream.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		swallows.Store(true)
		s.cut()
		time.Sleep(time.Minute) // of the bubble's clock
		if len(took) < first+2 {
			t.Errorf("%d dials within a minute of a resume", len(took)-first)
		}
		c.Close()
		close(took)
		for d := range took {
			if d < least || d > most {
				t.Errorf("a dial was given up after %s", d)
			}
		}
		s.close()
	})
}
