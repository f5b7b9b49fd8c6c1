package relay

import (
	"syscall"

	"github.com/sockmux/sockmux/shared/wire"
)

// errnos maps what connect, read and write of TCP sockets report: Winsock's own numbers
// (winsock2.h), which syscall's POSIX names do not equal.
var errnos = []struct {
	errno syscall.Errno
	code  wire.Code
}{
	{10061, wire.Refused},             // WSAECONNREFUSED
	{10054, wire.Reset},               // WSAECONNRESET
	{10053, wire.Reset},               // WSAECONNABORTED
	{10058, wire.Reset},               // WSAESHUTDOWN
	{10060, wire.TimedOut},            // WSAETIMEDOUT
	{10065, wire.HostUnreachable},     // WSAEHOSTUNREACH
	{10064, wire.HostUnreachable},     // WSAEHOSTDOWN
	{10051, wire.NetworkUnreachable},  // WSAENETUNREACH
	{10050, wire.NetworkUnreachable},  // WSAENETDOWN
	{10047, wire.NetworkUnreachable},  // WSAEAFNOSUPPORT
	{10049, wire.AddressNotAvailable}, // WSAEADDRNOTAVAIL
	{10048, wire.AddressInUse},        // WSAEADDRINUSE
	{10022, wire.AddressNotAvailable}, // WSAEINVAL
	{10013, wire.Denied},              // WSAEACCES
	{10024, wire.Limit},               // WSAEMFILE
	{10055, wire.Limit},               // WSAENOBUFS
}
