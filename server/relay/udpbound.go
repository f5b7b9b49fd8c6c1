package relay

import (
	"net"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// udpBound opens a socket for datagrams at a port of the client's choice, to which strangers may
// send, and answers. It is not idle while it waits for them.
func (p *pipe) udpBound() {
	d, err := p.relay.forUDP().bindUDP(p)
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	bound := d.local()
	p.remote, p.told = bound, bound // for the operator; the answer has no remote address
	p.join(d, wire.Result{Code: wire.OK, Bound: bound})
	go p.down(func() { d.receive(p.writeDown, p.endDown) }) // the caller of done waits for it
}

// bindUDP asks the policy and binds.
func (r *service) bindUDP(p *pipe) (*datagrams, error) {
	addr := p.request.Host.Addr().Unmap()
	if !addr.IsValid() || addr.Zone() != "" {
		return nil, wire.NewError(wire.InvalidRequest, p.request.Target()+" is no address to receive at")
	}
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	place, err := r.Listen.Find(policy.UDP, addr, p.request.Port, p.request.Family)
	asked(err)
	if err != nil {
		return nil, err
	}
	d := newDatagrams(r, p, nil, netip.AddrPort{})
	d.senders = newSenders(&d.held)
	if err := r.incoming.enter(r.Client.Number, d, r.MaxListeners); err != nil {
		return nil, err
	}
	socket, err := atPlace("udp", place, p.request.Family, r.dialer.BindUDP)
	if err != nil {
		d.close()
		return nil, dialFailure(p.life, netip.AddrPortFrom(place.Addr, p.request.Port), err)
	}
	d.sockets = []*net.UDPConn{socket}
	return d, nil
}

// stop implements portHolder.
func (d *datagrams) stop() { d.pipe.cut(errRelayEnds) }
