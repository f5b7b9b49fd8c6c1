package sockmux

import (
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// A UDPConn is a UDP socket at the server. It implements net.Conn and net.PacketConn, as
// *net.UDPConn does. All methods may be called at any time by any goroutine.
//
// Datagrams may be lost, as on any path. A Write never waits: what the session cannot take soon is
// dropped, and Dropped counts it. What the server says of an earlier datagram, such as that its
// target refused it, is the error of a later call: syscall.ECONNREFUSED of Read or Write on a
// connected socket, and syscall.EACCES or a *net.DNSError of WriteTo to the same address on
// another.
//
// After a loss of the WebSocket the socket goes on.
type UDPConn struct {
	dialer  *Dialer
	stream  stream
	network string
	local   net.Addr
	remote  net.Addr // nil: not connected
	closing atomic.Bool
	dropped atomic.Uint64

	in  datagramInbox
	out sendBuffer
}

var (
	_ net.Conn       = (*UDPConn)(nil)
	_ net.PacketConn = (*UDPConn)(nil)
)

// newUDPConn returns the socket of a stream. remote is nil for one that is not connected.
func newUDPConn(d *Dialer, s stream, network string, result wire.Result, remote net.Addr) *UDPConn {
	c := &UDPConn{dialer: d, stream: s, network: network, local: udpAddressOf(result.Bound, named{network, ":0"})}
	if remote != nil {
		c.remote = udpAddressOf(result.Remote, remote)
	}
	c.in.init(s, remote != nil)
	c.out.init(s, &d.drains)
	return c
}

// Read reads a datagram. If b is shorter than the datagram, the rest is dropped.
func (c *UDPConn) Read(b []byte) (int, error) {
	n, _, err := c.in.read(b)
	return n, c.opError("read", c.remote, err)
}

// ReadFrom implements net.PacketConn. The address is a *net.UDPAddr, or the name to which the
// datagram that it answers was sent.
func (c *UDPConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.in.read(b)
	if err != nil {
		return n, nil, c.opError("read", c.remote, err)
	}
	if c.remote != nil {
		return n, c.remote, nil
	}
	return n, c.addrOf(from), nil
}

// addrOf returns the address of a peer.
func (c *UDPConn) addrOf(peer datagram.Peer) net.Addr {
	if addr := peer.Host.Addr(); addr.IsValid() {
		return net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, peer.Port))
	}
	return named{c.network, peer.String()}
}

// Write sends a datagram on a connected socket.
func (c *UDPConn) Write(b []byte) (int, error) {
	if c.remote == nil {
		return 0, c.opError("write", nil, syscall.EDESTADDRREQ)
	}
	return c.send(datagram.Record{Payload: b}, c.remote)
}

// WriteTo implements net.PacketConn. The address is a *net.UDPAddr or any other net.Addr whose
// text is host:port; the server resolves a name.
func (c *UDPConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	if c.remote != nil {
		return 0, c.opError("write", addr, net.ErrWriteToConnected)
	}
	peer, err := peerOf(addr)
	if err != nil {
		return 0, c.opError("write", addr, err)
	}
	return c.send(datagram.Record{Peer: peer, Payload: b}, addr)
}

// peerOf returns the peer that an address is.
func peerOf(addr net.Addr) (datagram.Peer, error) {
	if addr == nil {
		return datagram.Peer{}, syscall.EDESTADDRREQ
	}
	if udp, ok := addr.(*net.UDPAddr); ok && udp != nil {
		at := udp.AddrPort()
		if !at.Addr().IsValid() || at.Port() == 0 {
			return datagram.Peer{}, &net.AddrError{Err: "missing host or port", Addr: addr.String()}
		}
		return datagram.PeerAt(at), nil
	}
	host, service, err := net.SplitHostPort(addr.String())
	if err != nil {
		return datagram.Peer{}, err
	}
	port, err := net.LookupPort("udp", service)
	if err != nil {
		return datagram.Peer{}, err
	}
	if host == "" || port == 0 {
		return datagram.Peer{}, &net.AddrError{Err: "missing host or port", Addr: addr.String()}
	}
	if parsed := wire.ParseHost(host); parsed.Addr().IsValid() {
		return datagram.PeerAt(netip.AddrPortFrom(parsed.Addr(), uint16(port))), nil
	}
	return datagram.Peer{Host: wire.ParseHost(host), Port: uint16(port)}, nil
}

func (c *UDPConn) send(r datagram.Record, to net.Addr) (int, error) {
	if err := c.in.reported(r.Peer); err != nil {
		return 0, c.opError("write", to, err)
	}
	b, err := r.Append(make([]byte, 0, datagram.MaxHead+min(len(r.Payload), datagram.MaxPayload)))
	if _, long := err.(datagram.TooLong); long {
		err = syscall.EMSGSIZE
	}
	if err != nil {
		return 0, c.opError("write", to, err)
	}
	taken, err := c.out.offer(b)
	if err != nil {
		return 0, c.opError("write", to, err)
	}
	if !taken {
		c.dropped.Add(1)
	}
	return len(r.Payload), nil
}

// Dropped returns how many datagrams of Write and WriteTo were dropped at this end, because the
// session did not take them soon enough.
func (c *UDPConn) Dropped() uint64 { return c.dropped.Load() }

// Close implements net.Conn. What Write has taken is sent behind it.
func (c *UDPConn) Close() error {
	if !c.closing.CompareAndSwap(false, true) {
		return c.opError("close", c.remote, net.ErrClosed)
	}
	c.in.close()
	_ = c.stream.CancelRead(wire.Aborted) // never fails
	c.out.close(func() {
		_ = c.stream.Close() // as after close(2), there is no one to whom it matters
		c.dialer.forget(c)
	})
	return nil
}

// abort implements kept.
func (c *UDPConn) abort() { _ = c.stream.Reset(wire.Aborted, "") } // never fails

// LocalAddr implements net.Conn. The address is the server's; its host is unspecified if the
// socket is not connected.
func (c *UDPConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn. It returns nil if the socket is not connected.
func (c *UDPConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *UDPConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *UDPConn) SetReadDeadline(t time.Time) error {
	if c.closing.Load() {
		return c.opError("set", c.remote, net.ErrClosed)
	}
	c.in.setDeadline(t)
	return nil
}

// SetWriteDeadline implements net.Conn. A Write after it fails, though it would not wait.
func (c *UDPConn) SetWriteDeadline(t time.Time) error {
	if c.closing.Load() {
		return c.opError("set", c.remote, net.ErrClosed)
	}
	c.out.setDeadline(t)
	return nil
}

// opError returns the error of an operation on the socket.
func (c *UDPConn) opError(op string, addr net.Addr, err error) error {
	if err == nil {
		return nil
	}
	var host wire.Host
	if addr != nil {
		if name, _, split := net.SplitHostPort(addr.String()); split == nil {
			host = wire.ParseHost(name)
		}
	}
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: addr, Err: causeOf(err, host)}
}
