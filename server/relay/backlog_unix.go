//go:build unix

package relay

import (
	"net"
	"syscall"
)

// setBacklog changes the backlog of a listener. What the system makes of it is its own affair.
func setBacklog(l *net.TCPListener, backlog int) {
	raw, err := l.SyscallConn()
	if err != nil {
		return // it is closed
	}
	_ = raw.Control(func(fd uintptr) { _ = syscall.Listen(int(fd), backlog) })
}
