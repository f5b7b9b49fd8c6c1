//go:build !linux

package carrier

import "syscall"

// setAwaited does nothing: readers are woken for what has arrived.
func setAwaited(syscall.RawConn, int) {}
