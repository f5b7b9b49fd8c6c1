//go:build !js

package websocket

import (
	"net"
	"syscall"
)

// The WebSocket library reads the payload of a frame with io.ReadFull (v1.8.15,
// Conn.readFramePayload). What is longer than its buffer of 4 KiB goes straight into the
// message, so a long Read is a wait for that many bytes. The system then wakes the
// reader once for as many as one of these says, instead of once for each segment that
// arrives.
const (
	leastAwaited = 64 << 10
	mostAwaited  = 256 << 10
)

// awaited tells the system how many bytes a connection's reader waits for. The zero
// value tells it nothing. It is for one goroutine at a time.
type awaited struct {
	raw  syscall.RawConn // nil: of a connection that is more than a socket
	told int             // the last that the system was told
}

func awaitedOf(tcp *net.TCPConn) *awaited {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return &awaited{} // it has ended
	}
	return &awaited{raw: raw, told: 1}
}

// reading is to be called before a Read into n bytes, which must all be on their way if
// they are leastAwaited or more.
func (a *awaited) reading(n int) {
	if a.raw == nil {
		return
	}
	wait := 1
	if n >= leastAwaited {
		wait = min(n, mostAwaited)
	}
	if wait != a.told {
		a.told = wait
		setAwaited(a.raw, wait)
	}
}
