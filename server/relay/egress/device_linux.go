package egress

import (
	"net"
	"syscall"
)

// bindDevice makes a socket use an interface (SO_BINDTODEVICE, socket(7)).
var bindDevice = func(fd uintptr, _ bool, card *net.Interface) error {
	return syscall.BindToDevice(int(fd), card.Name)
}
