package relay

import (
	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/server/relay/egress"
)

// acknowledged returns how many bytes the system of the other end has acknowledged.
func acknowledged(conn egress.Conn) (bytes uint64) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) { // fails on a connection that was closed
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			bytes = info.Bytes_acked
		}
	})
	return bytes
}
