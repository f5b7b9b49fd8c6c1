//go:build unix

package relay

import (
	"syscall"

	"github.com/sockmux/sockmux/server/relay/egress"
)

// peerGone reports whether the system has taken the connection down: getpeername then fails
// with ENOTCONN (POSIX).
func peerGone(conn egress.Conn) bool {
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
