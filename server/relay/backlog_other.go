//go:build !unix

package relay

import "net"

// setBacklog does nothing: the system's own default holds.
func setBacklog(*net.TCPListener, int) {}
