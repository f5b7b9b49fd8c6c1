package posix

import (
	"context"
	"net/netip"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// socket is what a handle stands for. Any number of goroutines may use one. A method that
// takes a context may block, and returns soon after the context's end or close.
type socket interface {
	bind(ctx context.Context, address []byte) errno
	// connect calls answered once, in any goroutine. It does not wait.
	connect(address []byte, answered func(errno))
	listen(ctx context.Context, backlog int32) errno
	accept(ctx context.Context, place *turn) (accepted socket, remote netip.AddrPort, e errno)
	// send and recv run when it is their turn, which they do not give up.
	send(ctx context.Context, place *turn, data []byte, flags int32, to []byte) (n int, e errno)
	recv(ctx context.Context, place *turn, length uint32, flags int32) (received, errno)
	// sendNow is send of what can be sent without waiting. It returns how much that is. send is for
	// the rest, and for errors. It is its turn.
	sendNow(data []byte, flags int32) int
	// receivesNow reports whether recv would not wait. It is its turn, and stays it.
	receivesNow(flags int32) bool
	// shutdown ends one direction. For both it only says what is wrong: close follows.
	shutdown(how int32) errno
	// close gives the socket up as close(2) does. What was sent is delivered.
	close()
	// cutSend resets the socket if a send has not returned: what it sends must not look complete.
	cutSend()
	// over reports whether nothing can come or go any more.
	over() bool
	// names return the addresses of both ends; the zero value for one that there is not.
	names() (local, remote netip.AddrPort)
	// basics returns what all sockets have.
	basics() *base
	// changed is called when options have changed.
	changed()
	// listens reports whether listen has succeeded.
	listens() bool
	// pending returns the error that waits to be reported, and forgets it.
	pending() errno
}

// received is what a recv has brought. Its user sends or releases in.
type received struct {
	data   []byte
	length int            // what the program is told: more than data of a datagram that was cut
	from   netip.AddrPort // of a datagram
	in     *dataBuffer    // that data is in, behind the room for a result; nil: data has memory of its own
}

// base is what all sockets have, and what they answer to calls that are not for them.
type base struct {
	bridge                 *bridge
	family, kind, protocol int32
	sending, receiving     turns
	options                options
}

func (s *base) basics() *base { return s }

// after calls f when the calls that stand in a line have returned, which are about to. f must not
// block.
func (s *base) after(line *turns, f func()) {
	place := line.ask()
	if place.now() {
		f()
		place.done()
		return
	}
	s.bridge.tasks.Go(func() {
		<-place.came // it is not nil: the turn has not come
		f()
		place.done()
	})
}

func (s *base) listen(context.Context, int32) errno { return eOpNotSupp }
func (s *base) listens() bool                       { return false }
func (s *base) sendNow([]byte, int32) int           { return 0 }
func (s *base) receivesNow(flags int32) bool        { return flags&flagDontWait != 0 }
func (s *base) cutSend()                            {} // a datagram is sent whole or not at all

func (s *base) accept(context.Context, *turn) (socket, netip.AddrPort, errno) {
	return nil, netip.AddrPort{}, eOpNotSupp
}

// address reads an address for this socket. An IPv4-mapped address is IPv4's.
func (s *base) address(b []byte) (netip.AddrPort, errno) {
	if len(b) < 2 {
		return netip.AddrPort{}, wire.EINVAL
	}
	if calls.Family(b) != s.family {
		return netip.AddrPort{}, wire.EAFNOSUPPORT
	}
	ap, ok := calls.AddrPort(b)
	if !ok {
		return netip.AddrPort{}, wire.EINVAL
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), 0
}

// bindRequest asks for an address and a port of the program's choice.
func (s *base) bindRequest(kind wire.Kind, ap netip.AddrPort) wire.Request {
	request := wire.Request{Kind: kind, Host: wire.HostOf(ap.Addr()), Port: ap.Port()}
	if s.options.number(optionName{levelIPv6, optionV6Only}) != 0 {
		request.Family = 6
	}
	return request
}

// named returns an address of this socket for the program.
func (s *base) named(ap netip.AddrPort) []byte {
	if s.family == calls.AFUnix {
		return []byte{calls.AFUnix, 0}
	}
	return calls.AppendAddress(nil, s.family, ap)
}

// newSocket makes a socket as socket(2) does.
func (b *bridge) newSocket(domain, kind, protocol int32) (socket, errno) {
	kind &^= typeNonblock | typeCloexec // a program cannot wait for a socket's readiness, so none is non-blocking
	switch {
	case kind&^typeMask != 0:
		return nil, wire.EINVAL
	case domain != calls.AFInet && domain != calls.AFInet6:
		return nil, wire.EAFNOSUPPORT
	}
	switch kind {
	case typeStream:
		if protocol = either(protocol, protocolTCP); protocol != protocolTCP {
			return nil, eProtoNoSupport
		}
		return b.newStream(domain, protocol), 0
	case typeDatagram:
		if protocol = either(protocol, protocolUDP); protocol != protocolUDP {
			return nil, eProtoNoSupport
		}
		return b.newDatagrams(domain, protocol), 0
	case typeRaw:
		return nil, ePerm
	case typeSeqpacket, 4, 6, 10:
		return nil, eSockTNoSupport
	}
	return nil, wire.EINVAL
}

func either(protocol, usual int32) int32 {
	if protocol == protocolIP {
		return usual
	}
	return protocol
}
