package sockmux

import (
	"context"
	"net"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// named is an address as a program gave it. It implements net.Addr.
type named struct{ network, address string }

func (n named) Network() string { return n.network }
func (n named) String() string  { return n.address }

// addressOf returns an address that the server has told, or the other one if it told none.
func addressOf(told netip.AddrPort, otherwise net.Addr) net.Addr {
	if !told.IsValid() {
		return otherwise
	}
	return net.TCPAddrFromAddrPort(told)
}

// udpAddressOf is addressOf of a UDP socket.
func udpAddressOf(told netip.AddrPort, otherwise net.Addr) net.Addr {
	if !told.IsValid() {
		return otherwise
	}
	return net.UDPAddrFromAddrPort(told)
}

// requestOn returns the request for a network of net.Dial, without a target.
func requestOn(network string) (wire.Request, error) {
	request := wire.Request{Kind: wire.TCP}
	switch network {
	case "tcp", "udp":
	case "tcp4", "udp4":
		request.Family = 4
	case "tcp6", "udp6":
		request.Family = 6
	default:
		return request, net.UnknownNetworkError(network)
	}
	if network[0] == 'u' {
		request.Kind = wire.UDP
	}
	return request, nil
}

// missingHost is the error for an address without a host. The server's own is not meant by default.
func missingHost(address string) error {
	return &net.AddrError{Err: "missing host: the server's own is not meant by default", Addr: address}
}

// requestFor returns the request that a network and an address of net.Dial stand for.
func requestFor(ctx context.Context, network, address string) (wire.Request, error) {
	request, err := requestOn(network)
	if err != nil {
		return request, err
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return request, err
	}
	if host == "" {
		return request, missingHost(address)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return request, err
	}
	request.Host, request.Port = wire.ParseHost(host), uint16(port)
	return request, nil
}
