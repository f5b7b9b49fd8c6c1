package websocket

import "syscall"

// setAwaited sets SO_RCVLOWAT (socket(7)). It fails on a connection that has ended,
// whose next Read says so.
func setAwaited(raw syscall.RawConn, n int) {
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)
	})
}
