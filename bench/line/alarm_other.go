//go:build !linux

package line

import "time"

// alarm waits until points in time, as precisely as Go's timers do. An alarm belongs to
// one goroutine.
type alarm struct{}

func newAlarm() (*alarm, error) { return &alarm{}, nil }

// wait returns at the time, at once if that is past.
func (*alarm) wait(at time.Time) error {
	time.Sleep(time.Until(at))
	return nil
}

func (*alarm) close() {}
