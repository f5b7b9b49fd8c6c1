//go:build !linux

package unsent

import "syscall"

// set does nothing: only Linux is tuned.
func set(syscall.RawConn, int) {}
