package relay

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memInfo is what SO_MEMINFO gives: SK_MEMINFO_VARS words of linux/sock_diag.h.
type memInfo [9]uint32

// memInfoDrops is SK_MEMINFO_DROPS.
const memInfoDrops = 8

// lostBy returns how many datagrams the system has dropped since the socket was opened, because
// its receive buffer was full. ok is false if the socket was closed.
func lostBy(socket *net.UDPConn) (lost uint32, ok bool) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, false
	}
	_ = raw.Control(func(fd uintptr) { // fails on a socket that was closed
		var info memInfo
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			lost, ok = info[memInfoDrops], true
		}
	})
	return lost, ok
}
