//go:build !linux

package unsent

import "syscall"

// Limit does nothing: only Linux is tuned.
func Limit(syscall.RawConn) {}
