package sdnotify

import (
	"syscall"
	"unsafe"
)

// clockMonotonic is CLOCK_MONOTONIC of linux/time.h, which package syscall does not name.
const clockMonotonic = 1

// monotonicMicroseconds is the clock that systemd compares with.
func monotonicMicroseconds() int64 {
	var now syscall.Timespec
	// It fails for no valid clock; 0 would only make systemd take the message for an old one.
	_, _, _ = syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano() / 1000
}
