package notsentlowat

import "syscall"

// tcpNotSentLowat is TCP_NOTSENT_LOWAT of linux/tcp.h, which package syscall does not name.
const tcpNotSentLowat = 25

// set fails on a connection that has ended, where it is not missed.
func set(raw syscall.RawConn, limit int) {
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, limit)
	})
}
