package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestWithin(t *testing.T) {
	from := make(chan int, 1)
	from <- 7
	if got := servertest.Within(t, time.Second, "a number", from); got != 7 {
		t.Errorf("got %d", got)
	}
}

func TestWithinGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, began := &failing{TB: t}, time.Now()
		defer func() {
			if recover() != f || !f.failed || time.Since(began) != time.Second {
				t.Errorf("failed: %t, after %s", f.failed, time.Since(began))
			}
		}()
		servertest.Within(f, time.Second, "what never comes", make(chan int))
	})
}
