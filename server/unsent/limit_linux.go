package unsent

import "syscall"

const (
	// tcpNotSentLowat is TCP_NOTSENT_LOWAT of linux/tcp.h, which package syscall does not name.
	tcpNotSentLowat = 25
	// most keeps the line full at 100 Mbit/s and 10 ms; measured under a bulk download it took an echo from 380 to 100 ms.
	most = 128 << 10
)

// Limit limits the unsent data of a TCP connection; what is under way counts apart, and is as much as the path takes. Where it cannot be set the connection works as
// well, only less briskly.
func Limit(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, most)
	})
}
