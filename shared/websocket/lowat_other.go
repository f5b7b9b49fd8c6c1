//go:build !linux && !js

package websocket

import "syscall"

// setAwaited does nothing: readers are woken for what has arrived.
func setAwaited(syscall.RawConn, int) {}
