package egress

import "syscall"

// noBroadcast makes the system refuse broadcasts with WSAEACCES.
func noBroadcast(fd uintptr) error {
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
}
