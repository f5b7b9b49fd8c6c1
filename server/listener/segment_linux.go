package listener

import "golang.org/x/sys/unix"

// CanBoundSegments reports whether Config.MSS has an effect on this system.
const CanBoundSegments = true

// boundSegments sets TCP_MAXSEG of a listening socket, which its connections inherit: it is
// announced to the other ends, and their segments are no longer, nor are those towards them.
func boundSegments(fd uintptr, mss int) error {
	return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG, mss)
}
