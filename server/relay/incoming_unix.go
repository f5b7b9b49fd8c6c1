//go:build unix

package relay

import (
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/shared/datagram"
)

// datagramReading reads what is there without waiting. The zero value is ready.
type datagramReading struct {
	raw syscall.RawConn // nil: before the first read
	try func(fd uintptr) bool
	err error
}

// wait waits for datagrams and returns the records of those that are there. An error may come with
// records before it. They are valid until release.
func (in *incoming) wait() ([]byte, error) {
	r := &in.reading
	if r.raw == nil {
		raw, err := in.socket.SyscallConn()
		if err != nil {
			return nil, err
		}
		r.raw, r.try = raw, in.tryRead
	}
	r.err = nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, err
	}
	if in.memory == nil {
		return nil, r.err
	}
	return (*in.memory)[:in.used], r.err
}

// tryRead returns false where nothing is there yet.
func (in *incoming) tryRead(fd uintptr) bool {
	for {
		b := in.space()
		if b == nil {
			return true
		}
		n, from, err := unix.Recvfrom(int(fd), b[:datagram.MaxPayload], 0)
		switch err {
		case nil:
			in.add(n, addrPortOf(from))
		case syscall.EINTR:
		case syscall.EAGAIN:
			if in.used > 0 {
				return true
			}
			in.release()
			return false
		default:
			in.reading.err = &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("recvfrom", err)}
			return true
		}
	}
}

// addrPortOf returns the address that the system has told.
func addrPortOf(from unix.Sockaddr) netip.AddrPort {
	switch a := from.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}
