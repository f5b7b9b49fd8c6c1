package servertest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

// failing is a test that notes its failure and goes on.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Fatalf(string, ...any) { f.failed = true; panic(f) }

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		servertest.Eventually(t, time.Second, "half a second", func() bool { return time.Since(began) >= time.Second/2 })
		if took := time.Since(began); took != time.Second/2 {
			t.Errorf("took %s", took)
		}
	})
}

func TestEventuallyGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, began := &failing{TB: t}, time.Now()
		defer func() {
			if recover() != f || !f.failed || time.Since(began) > 1002*time.Millisecond {
				t.Errorf("failed: %t, after %s", f.failed, time.Since(began))
			}
		}()
		servertest.Eventually(f, time.Second, "what never comes", func() bool { return false })
	})
}
