//go:build !linux

package sdnotify

import "time"

var began = time.Now()

// monotonicMicroseconds has no reader where there is no systemd.
func monotonicMicroseconds() int64 { return time.Since(began).Microseconds() }
