//go:build unix

package egress

import "syscall"

// noBroadcast makes the system refuse broadcasts with EACCES.
func noBroadcast(fd uintptr) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_BROADCAST, 0)
}
