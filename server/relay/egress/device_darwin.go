package egress

import (
	"net"
	"syscall"
)

// Options of netinet/in.h and netinet6/in6.h, which package syscall does not name.
const (
	ipBoundIf   = 25
	ipv6BoundIf = 125
)

// bindDevice makes a socket use an interface.
var bindDevice = func(fd uintptr, six bool, card *net.Interface) error {
	if six {
		return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, ipv6BoundIf, card.Index)
	}
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipBoundIf, card.Index)
}
