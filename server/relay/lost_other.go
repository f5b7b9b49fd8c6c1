//go:build !linux

package relay

import "net"

// lostBy returns false for ok: these systems do not tell.
func lostBy(*net.UDPConn) (lost uint32, ok bool) { return 0, false }
