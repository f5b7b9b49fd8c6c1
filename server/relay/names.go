package relay

import (
	"context"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/shared/wire"
)

// literalTTL is for how long the answer for an address is good, which is itself.
const literalTTL = time.Hour

// names answers a resolve stream with the addresses of its host, or with the names of an address.
func (p *pipe) names() {
	answer, err := p.relay.namesOf(p.life, p.request)
	p.answerOnce(answer.Append(nil), err)
}

// namesOf resolves the host of a request within the time that the request and the server allow. It
// returns the addresses that could be dialed at some port.
func (r *service) namesOf(ctx context.Context, request wire.Request) (wire.Addresses, error) {
	if addr, ok := resolver.Reverse(request.Host.Name()); ok {
		return r.reverse(ctx, request, addr)
	}
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	err := r.Policy.CheckHostAnyPort(request.Host)
	asked(err)
	if err != nil {
		return wire.Addresses{}, err
	}
	found, err := r.addresses(ctx, request)
	if err != nil {
		return wire.Addresses{}, err
	}
	asked = r.step(events.StepPolicy, netip.AddrPort{})
	answer, err := r.reachable(request.Host, found)
	asked(err)
	return answer, err
}

func (r *service) addresses(ctx context.Context, request wire.Request) (resolver.Answer, error) {
	if literal := request.Host.Addr(); literal.IsValid() {
		return resolver.Answer{Addrs: []netip.Addr{literal}, TTL: literalTTL}, fits(request)
	}
	ctx, cancel := r.within(ctx, request)
	defer cancel()
	resolved := r.step(events.StepResolve, netip.AddrPort{})
	found, err := r.lookup(ctx, request.Host.Name(), request.Family)
	resolved(err)
	return found, err
}

// reachable keeps the addresses that could be dialed at some port. It returns an error if there are
// none. Those that a page takes for a made-up one are left out, though the name can be dialed: the
// answer may be empty.
func (r *service) reachable(host wire.Host, found resolver.Answer) (wire.Addresses, error) {
	answer := wire.Addresses{TTL: found.TTL}
	var denied error
	allowed := false
	for _, addr := range interleave(found.Addrs) {
		if err := r.Policy.CheckAddrAnyPort(host, found.Aliases, addr); err != nil {
			if denied == nil {
				denied = err
			}
			continue
		}
		allowed = true
		if !policy.IsFake(addr) && len(answer.Addrs) < wire.MaxAddresses {
			answer.Addrs = append(answer.Addrs, addr)
		}
	}
	if !allowed {
		return wire.Addresses{}, denied
	}
	return answer, nil
}

// reverse looks up the names of an address, which a page may ask for if it could dial the address
// at some port. Names that could not be dialed for their form are left out: they are what the owner
// of the address says.
func (r *service) reverse(ctx context.Context, request wire.Request, addr netip.Addr) (wire.Addresses, error) {
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	err := r.Policy.CheckHostAnyPort(wire.HostOf(addr))
	asked(err)
	if err != nil {
		return wire.Addresses{}, err
	}
	ctx, cancel := r.within(ctx, request)
	defer cancel()
	resolved := r.step(events.StepResolve, netip.AddrPort{})
	found, err := r.ask(ctx, resolver.PTR, request.Host.Name(), "name")
	resolved(err)
	if err != nil {
		return wire.Addresses{}, err
	}
	answer := wire.Addresses{TTL: found.TTL}
	for _, name := range found.Names {
		if host := wire.ParseHost(name); host.Name() != "" && policy.ValidHost(host) == nil {
			answer.Names = append(answer.Names, name)
		}
	}
	if len(answer.Names) == 0 {
		return wire.Addresses{}, &wire.Error{Code: wire.NameNotFound, Text: addr.String() + " has no name"}
	}
	return answer, nil
}
