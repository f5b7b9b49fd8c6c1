package sockmux

import (
	"context"
	"net"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// ListenPacket opens a UDP socket at the server that is not connected: it sends to any address
// that the server's policy allows, and receives from those to which it has sent. The network is
// "udp", "udp4" or "udp6". The address has no host and port 0, such as ":0": a server refuses
// another port, with syscall.EACCES, unless its operator allows that.
//
// The socket is a *UDPConn. Errors are as those of DialContext.
func (d *Dialer) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	conn, err := d.listenPacket(ctx, network, address)
	if err != nil { // not a nil *UDPConn in an interface
		return nil, &net.OpError{Op: "listen", Net: network, Addr: named{network, address}, Err: err}
	}
	return conn, nil
}

func (d *Dialer) listenPacket(ctx context.Context, network, address string) (*UDPConn, error) {
	request, err := requestOn(network)
	if err != nil || request.Kind != wire.UDP {
		return nil, net.UnknownNetworkError(network)
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(host); host != "" && (err != nil || !addr.IsUnspecified()) {
		return nil, &net.AddrError{Err: "a host: the server chooses its own address", Addr: address}
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return nil, err
	}
	request.Port = uint16(port)
	stream, result, err := d.open(ctx, request)
	if err != nil {
		return nil, err
	}
	return d.keepUDP(newUDPConn(d, stream, network, result, nil))
}

// keepUDP starts a socket, unless the Dialer is closed.
func (d *Dialer) keepUDP(c *UDPConn) (*UDPConn, error) {
	if !d.keep(c) {
		_ = c.stream.Close() // the session has ended it
		return nil, net.ErrClosed
	}
	d.drains.Go(c.in.run)
	return c, nil
}
