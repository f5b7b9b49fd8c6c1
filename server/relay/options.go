package relay

import (
	"net"
	"time"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/wire"
)

// Bounds of the keepalive that a client may ask for; what is beyond counts as the bound. The times
// are the defaults of Linux, doubled for the interval: with them a target that is gone without a
// word holds a descriptor of the server for some hours, and not for days.
const (
	maxKeepIdle     = 2 * time.Hour
	maxKeepInterval = 150 * time.Second
	maxKeepCount    = 16
)

// setOptions sets what a client wants of the connection to its target. An option that the system
// refuses is left as it is: the client's own socket keeps its value all the same.
func setOptions(conn egress.Conn, options wire.SocketOptions) {
	if options.NoDelay != wire.Unset {
		_ = conn.SetNoDelay(options.NoDelay == wire.On)
	}
	if options.KeepAlive != wire.Unset {
		_ = conn.SetKeepAliveConfig(keepAliveOf(options))
	}
}

// keepAliveOf returns the keepalive of a connection. The server's own stays where the
// client wants none, since it frees the descriptors of targets that are gone, and for
// what the client leaves open.
func keepAliveOf(options wire.SocketOptions) net.KeepAliveConfig {
	keep := egress.KeepAlive
	if options.KeepAlive != wire.On {
		return keep
	}
	if options.KeepIdle > 0 {
		keep.Idle = min(options.KeepIdle, maxKeepIdle)
	}
	if options.KeepInterval > 0 {
		keep.Interval = min(options.KeepInterval, maxKeepInterval)
	}
	if options.KeepCount > 0 {
		keep.Count = int(min(options.KeepCount, maxKeepCount))
	}
	return keep
}
