package resolver_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/server/relay/resolver"
)

// held is a source that answers nothing before its context ends.
type held struct{ underWay atomic.Int32 }

func (h *held) Lookup(ctx context.Context, _, _ string) (resolver.Answer, error) {
	h.underWay.Add(1)
	defer h.underWay.Add(-1)
	<-ctx.Done()
	return resolver.Answer{}, context.Cause(ctx)
}

func TestFairBoundsTheLookupsOfASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const asked, most = 600, 8
		source := new(held)
		fair := resolver.NewFair(source, 4*most)
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, asked+1)
		look := func(session string) {
			_, err := fair.For(session).Lookup(ctx, "ip", "name.test")
			errs <- err
		}
		for range asked {
			go look("hostile")
		}
		synctest.Wait()
		if n := source.underWay.Load(); n != most {
			t.Errorf("%d lookups of one session are under way, want %d", n, most)
		}
		go look("neighbor")
		synctest.Wait()
		if n := source.underWay.Load(); n != most+1 {
			t.Errorf("%d lookups are under way beside the neighbor's, want %d", n-1, most)
		}
		why := errors.New("the sessions end")
		cancel(why)
		for range asked + 1 {
			if err := <-errs; !errors.Is(err, why) {
				t.Errorf("error %v, want %v", err, why)
			}
		}
	})
}
