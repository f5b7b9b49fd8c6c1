//go:build !linux && !darwin && !windows

package egress

import "net"

// bindDevice is nil: there is no way that works without special rights.
var bindDevice func(fd uintptr, six bool, card *net.Interface) error
