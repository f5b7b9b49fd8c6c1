//go:build !linux

package relay

import "net"

// lostBy is 0 on systems that do not tell it.
func lostBy(*net.UDPConn) uint64 { return 0 }
