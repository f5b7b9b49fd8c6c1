package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// udp opens a socket for datagrams and answers, then leaves the stream to the goroutines of its
// directions. The bytes of the stream are the records of package datagram.
func (p *pipe) udp() {
	conn, err := p.relay.forUDP().datagrams(p)
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	p.carry(conn, conn.local(), conn.connected)
	go p.down(func() { conn.receive(p.writeDown, p.endDown) }) // the caller of done waits for it
}

// forUDP returns the service with the policy for datagrams.
func (r *service) forUDP() *service {
	other := *r
	other.Policy = r.Policy.For(policy.UDP)
	return &other
}

// errBound refuses a port in a request of the kind for sockets whose peers the client chooses.
var errBound = wire.NewError(wire.Denied, "a udp socket with a port of its own is a stream of kind udp_bound")

// datagrams opens the socket of a request: one that is connected, if the request has a host.
func (r *service) datagrams(p *pipe) (*datagrams, error) {
	if p.request.Host.IsZero() {
		if p.request.Port != 0 {
			return nil, errBound
		}
		sockets, err := r.dialer.ListenUDP()
		if err != nil {
			return nil, dialFailure(p.life, netip.AddrPort{}, err)
		}
		return newDatagrams(r, p, sockets, netip.AddrPort{}), nil
	}
	socket, remote, err := r.dialUDP(p.life, p.request)
	if err != nil {
		return nil, err
	}
	return newDatagrams(r, p, []*net.UDPConn{socket}, remote), nil
}

// dialUDP connects a socket to the first address of the host that the policy and the system allow.
func (r *service) dialUDP(ctx context.Context, request wire.Request) (*net.UDPConn, netip.AddrPort, error) {
	ctx, cancel := r.within(ctx, request)
	defer cancel()
	addrs, aliases, err := r.targets(ctx, request)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	var failures []error
	for _, addr := range addrs {
		ended := r.step(events.StepDial, addr)
		socket, err := r.dialer.DialUDP(request.Host, addr, func(dialed netip.AddrPort) error { return r.checkUnicast(request.Host, aliases, dialed) })
		if err != nil {
			err = dialFailure(ctx, addr, err)
		}
		ended(err)
		if err == nil {
			return socket, addr, nil
		}
		failures = append(failures, err)
	}
	return nil, netip.AddrPort{}, mostTelling(failures)
}

// limitedBroadcast reaches every host of the server's network.
var limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// isUnicast reports whether an address is one host's, as far as the address itself shows it.
func isUnicast(addr netip.Addr) bool {
	addr = addr.Unmap()
	return !addr.IsMulticast() && !addr.IsUnspecified() && addr != limitedBroadcast
}

// checkUnicast asks the policy, and refuses what no rule may allow: a datagram to several hosts.
func (r *service) checkUnicast(host wire.Host, aliases []string, target netip.AddrPort) error {
	if !isUnicast(target.Addr()) {
		return wire.NewError(wire.Denied, fmt.Sprintf("%s is not the address of one host", target))
	}
	return r.Policy.CheckAddr(host, aliases, target)
}
