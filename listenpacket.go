package sockmux

import (
	"context"
	"net"

	"github.com/sockmux/sockmux/shared/wire"
)

// ListenPacket opens a UDP socket at the server that is not connected. The network is "udp",
// "udp4" or "udp6".
//
// With an address such as ":0", the server chooses the port. The socket sends to any address that
// the server's policy allows, and receives from those to which it has sent.
//
// With another port or host, strangers may send to the socket too, and it may answer them. The host
// is an address of the server, "localhost", or empty: then the server's policy chooses the address.
// Port 0 means any port that the policy allows. LocalAddr tells what was chosen. Servers allow none
// by default (--allow-listen): the error is syscall.EACCES then.
//
// The socket is a *UDPConn. Errors are as those of DialContext and Listen.
func (d *Dialer) ListenPacket(ctx context.Context, network, address string) (net.PacketConn, error) {
	conn, err := d.listenPacket(ctx, network, address)
	if err != nil { // not a nil *UDPConn in an interface
		return nil, &net.OpError{Op: "listen", Net: network, Addr: named{network, address}, Err: err}
	}
	return conn, nil
}

func (d *Dialer) listenPacket(ctx context.Context, network, address string) (*UDPConn, error) {
	request, err := packetRequestFor(ctx, network, address)
	if err != nil {
		return nil, err
	}
	stream, result, err := d.open(ctx, request)
	if err != nil {
		return nil, err
	}
	return d.keepUDP(newUDPConn(d, stream, network, result, nil))
}

// packetRequestFor returns the request that a network and an address of net.ListenPacket stand for.
func packetRequestFor(ctx context.Context, network, address string) (wire.Request, error) {
	request, err := requestOn(network)
	if err != nil || request.Kind != wire.UDP {
		return request, net.UnknownNetworkError(network)
	}
	if err := bindTo(ctx, &request, network, address); err != nil {
		return request, err
	}
	if request.Port == 0 && request.Host.Addr().IsUnspecified() {
		request.Host = wire.Host{} // to this port only peers may send
		return request, nil
	}
	request.Kind = wire.UDPBound
	return request, nil
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
