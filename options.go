package sockmux

import (
	"net"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// socketOptions are what a program has chosen for the server's connection to the target.
type socketOptions struct {
	mu        sync.Mutex  // held while options are sent, so that they arrive in order
	keepAlive wire.Switch // Unset: the program has not called SetKeepAlive
}

// SetNoDelay sets TCP_NODELAY of the server's connection to the target. It is on by default.
func (c *Conn) SetNoDelay(on bool) error {
	return c.setOptions(wire.SocketOptions{NoDelay: wire.SwitchOf(on)})
}

// SetKeepAlive sets SO_KEEPALIVE of the server's connection to the target. It is on by default.
// A server may keep probes of its own where the program turns them off.
func (c *Conn) SetKeepAlive(on bool) error {
	return c.setOptions(wire.SocketOptions{KeepAlive: wire.SwitchOf(on)})
}

// SetKeepAlivePeriod sets how long the server's connection to the target is idle before it
// sends keep-alive probes, in whole seconds. It turns no probes on that SetKeepAlive has
// turned off.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setOptions(wire.SocketOptions{KeepIdle: d})
}

func (c *Conn) setOptions(options wire.SocketOptions) error {
	if c.closing.Load() {
		return c.opError("set", net.ErrClosed)
	}
	o := &c.options
	o.mu.Lock()
	defer o.mu.Unlock()
	if options.KeepAlive != wire.Unset {
		o.keepAlive = options.KeepAlive
	}
	if options.KeepIdle != 0 {
		// A server heeds the time only with the switch.
		options.KeepAlive = wire.On
		if o.keepAlive == wire.Off {
			options.KeepAlive = wire.Off
		}
	}
	c.stream.SetSocketOptions(options)
	return nil
}
