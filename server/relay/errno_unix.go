//go:build !windows

package relay

import (
	"syscall"

	"github.com/sockmux/sockmux/shared/wire"
)

// errnos maps what connect, read and write of TCP sockets report.
var errnos = []struct {
	errno syscall.Errno
	code  wire.Code
}{
	{syscall.ECONNREFUSED, wire.Refused},
	{syscall.ECONNRESET, wire.Reset},
	{syscall.EPIPE, wire.Reset},
	{syscall.ECONNABORTED, wire.Reset},
	{syscall.ETIMEDOUT, wire.TimedOut},
	{syscall.EHOSTUNREACH, wire.HostUnreachable},
	{syscall.EHOSTDOWN, wire.HostUnreachable},
	{syscall.ENETUNREACH, wire.NetworkUnreachable},
	{syscall.ENETDOWN, wire.NetworkUnreachable},
	{syscall.EAFNOSUPPORT, wire.NetworkUnreachable}, // a kernel without IPv6
	{syscall.EADDRNOTAVAIL, wire.AddressNotAvailable},
	{syscall.EADDRINUSE, wire.AddressInUse},
	{syscall.EINVAL, wire.AddressNotAvailable}, // such as link-local without a zone
	{syscall.EACCES, wire.Denied},              // a firewall of the server, or broadcast
	{syscall.EPERM, wire.Denied},
	{syscall.EMFILE, wire.Limit},
	{syscall.ENFILE, wire.Limit},
	{syscall.ENOBUFS, wire.Limit},
	{syscall.ENOMEM, wire.Limit},
}
