//go:build unix

package relay

import (
	"net"
	"syscall"
)

// peerGone tells whether the system has taken the connection down: getpeername then fails with ENOTCONN (POSIX).
func peerGone(conn *net.TCPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	_ = raw.Control(func(fd uintptr) {
		_, err := syscall.Getpeername(int(fd))
		gone = err == syscall.ENOTCONN
	})
	return gone
}
