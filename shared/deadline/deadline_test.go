package deadline_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/deadline"
)

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var d deadline.Deadline
		passes := 0
		set := func(in time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			d.Set(time.Now().Add(in), &mu, func() { passes++ })
		}
		expect := func(when string, passed bool, want int) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if d.Passed() != passed || passes != want {
				t.Errorf("%s: passed %t, %d calls; want %t, %d", when, d.Passed(), passes, passed, want)
			}
		}
		expect("none was set", false, 0)
		set(time.Second)
		time.Sleep(time.Second - 1)
		expect("before the time", false, 0)
		time.Sleep(time.Nanosecond)
		expect("at the time", true, 1)
		set(time.Second)
		expect("another is set", false, 1)
		set(time.Hour)
		time.Sleep(time.Minute)
		expect("a later one replaced it", false, 1)
		set(-1)
		expect("a time in the past", true, 2)
		mu.Lock()
		d.Set(time.Time{}, &mu, func() { passes++ })
		mu.Unlock()
		time.Sleep(2 * time.Hour)
		expect("the zero time", false, 2)
	})
}
