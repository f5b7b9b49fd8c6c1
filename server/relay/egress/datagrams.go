package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/sockmux/sockmux/shared/wire"
)

// DialUDP runs check on the address that the socket is about to be connected to.
func (d *direct) DialUDP(_ wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (*net.UDPConn, error) {
	network, of := "udp6", "tcp6"
	if addr.Addr().Is4() {
		network, of = "udp4", "tcp4"
	}
	if !d.has(of) {
		return nil, wire.NewError(wire.AddressNotAvailable, fmt.Sprintf("%s: the server sends from no address of this family", addr))
	}
	dialer := net.Dialer{ControlContext: func(_ context.Context, network, address string, raw syscall.RawConn) error {
		dialed, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("address %q: %w", address, err)
		}
		if err := check(dialed); err != nil {
			return err
		}
		return d.control(network, raw)
	}}
	if source := d.source(of); source.IsValid() {
		dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	conn, err := dialer.DialContext(context.Background(), network, addr.String()) // connecting a udp socket does not wait
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil // what net.Dialer gives for udp
}

// ListenUDP opens one socket for both families. Where the source or the interface is chosen, each
// family has one of its own.
func (d *direct) ListenUDP() ([]*net.UDPConn, error) {
	if d.card == nil && !d.source4.IsValid() && !d.source6.IsValid() {
		conn, err := d.BindUDP("udp", netip.AddrPort{})
		if err != nil {
			return nil, err
		}
		return []*net.UDPConn{conn}, nil
	}
	var all []*net.UDPConn
	var failed error
	for _, family := range []struct{ network, of string }{{"udp4", "tcp4"}, {"udp6", "tcp6"}} {
		if !d.has(family.of) {
			continue
		}
		conn, err := d.BindUDP(family.network, netip.AddrPortFrom(d.source(family.of), 0))
		if err != nil {
			failed = err // such as a kernel without IPv6
			continue
		}
		all = append(all, conn)
	}
	if len(all) == 0 {
		return nil, failed
	}
	return all, nil
}

// BindUDP binds to every address if that of at is invalid.
func (d *direct) BindUDP(network string, at netip.AddrPort) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error { return d.control(network, raw) }}
	address := ":0"
	if at.IsValid() {
		address = at.String()
	}
	conn, err := config.ListenPacket(context.Background(), network, address) // likewise
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil // what net.ListenConfig gives for udp
}

// control takes back SO_BROADCAST, which package net sets, and chooses the interface.
func (d *direct) control(network string, raw syscall.RawConn) error {
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = noBroadcast(fd) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("forbidding broadcast: %w", failed)
	}
	if d.card == nil {
		return nil
	}
	family := "tcp4"
	if network == "udp6" {
		family = "tcp6"
	}
	return d.bind(family, raw)
}

// errNoDatagrams is the answer of every proxy: HTTP CONNECT has no datagrams, and few SOCKS5
// proxies serve UDP ASSOCIATE.
var errNoDatagrams = wire.NewError(wire.UnsupportedKind, "the server's upstream proxy carries no datagrams")

// DialUDP refuses.
func (p *proxy) DialUDP(wire.Host, netip.AddrPort, func(netip.AddrPort) error) (*net.UDPConn, error) {
	return nil, errNoDatagrams
}

// ListenUDP refuses.
func (p *proxy) ListenUDP() ([]*net.UDPConn, error) { return nil, errNoDatagrams }

// DialUDP goes around the proxy if NO_PROXY names the host or the address.
func (e *environment) DialUDP(host wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (*net.UDPConn, error) {
	return e.way(host, addr).DialUDP(host, addr, check)
}

// BindUDP refuses.
func (p *proxy) BindUDP(string, netip.AddrPort) (*net.UDPConn, error) { return nil, errNoDatagrams }

// ListenUDP refuses: its datagrams may go to targets that only the proxy reaches.
func (e *environment) ListenUDP() ([]*net.UDPConn, error) { return nil, errNoDatagrams }

// BindUDP refuses, as ListenUDP.
func (e *environment) BindUDP(string, netip.AddrPort) (*net.UDPConn, error) {
	return nil, errNoDatagrams
}
