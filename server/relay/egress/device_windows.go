package egress

import (
	"encoding/binary"
	"net"
	"syscall"
)

// unicastIf is IP_UNICAST_IF and IPV6_UNICAST_IF of ws2ipdef.h.
const unicastIf = 31

// bindDevice makes a socket use an interface. The index is in the network's byte order
// for IPv4, and in the host's for IPv6.
var bindDevice = func(fd uintptr, six bool, card *net.Interface) error {
	if six {
		return syscall.SetsockoptInt(syscall.Handle(fd), syscall.IPPROTO_IPV6, unicastIf, card.Index)
	}
	index := binary.NativeEndian.Uint32(binary.BigEndian.AppendUint32(nil, uint32(card.Index)))
	return syscall.SetsockoptInt(syscall.Handle(fd), syscall.IPPROTO_IP, unicastIf, int(index))
}
