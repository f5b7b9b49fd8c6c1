//go:build !linux

package notsentlowat

import "syscall"

// set does nothing: only Linux is tuned.
func set(syscall.RawConn, int) {}
