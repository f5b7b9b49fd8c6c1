package line

import (
	"testing"
	"time"
)

func TestAlarmRingsInTime(t *testing.T) {
	a, err := newAlarm()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for _, delay := range []time.Duration{-time.Second, 0, 300 * time.Microsecond, 5 * time.Millisecond, 1500 * time.Microsecond} {
		at := time.Now().Add(delay)
		if err := a.wait(at); err != nil {
			t.Fatal(err)
		}
		if early := time.Until(at); early > 0 {
			t.Errorf("%v: %v too early", delay, early)
		}
		// A busy machine may be late, not by as much as a timer that was set wrongly.
		if late := time.Since(at); delay >= 0 && late > 10*time.Second {
			t.Errorf("%v: %v too late", delay, late)
		}
	}
}
