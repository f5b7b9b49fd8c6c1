package servertest

import (
	"net"
	"syscall"
	"testing"
)

// Unsent returns the limit of what a connection leaves to the system unsent:
// TCP_NOTSENT_LOWAT of linux/tcp.h.
func Unsent(t testing.TB, tcp *net.TCPConn) int {
	t.Helper()
	raw, err := tcp.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	limit := 0
	var failed error
	if err := raw.Control(func(fd uintptr) { limit, failed = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, 25) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return limit
}
