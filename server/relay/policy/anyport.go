package policy

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// distinctPorts returns the first port of each range in which the rules decide alike.
func distinctPorts(rules []Rule) []uint16 {
	list := []uint16{1}
	for _, r := range rules {
		list = append(list, r.ports.first)
		if r.ports.last < anyPort.last {
			list = append(list, r.ports.last+1)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// CheckHostAnyPort is CheckHost for a client that only wants to know the host's addresses: it
// returns an error if no port of the host could be allowed.
func (p *Policy) CheckHostAnyPort(host wire.Host) error {
	return p.anyPort(func(port uint16) error { return p.CheckHost(host, port) }, func() error {
		if addr := host.Addr(); addr.IsValid() {
			return p.CheckAddrAnyPort(host, nil, addr)
		}
		return wire.NewError(wire.Denied, host.Name()+" is denied at every port")
	})
}

// CheckAddrAnyPort is CheckAddr likewise.
func (p *Policy) CheckAddrAnyPort(host wire.Host, aliases []string, addr netip.Addr) error {
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(addr, port) }
	return p.anyPort(func(port uint16) error { return p.CheckAddr(host, aliases, at(port)) }, func() error {
		d := p.decide(host, aliases, at(p.ports[0]))
		d.addr = at(0)
		return d.err()
	})
}

// anyPort returns nil if check does for a port. Otherwise it returns the error of a host that is
// malformed, or that of denied.
func (p *Policy) anyPort(check func(port uint16) error, denied func() error) error {
	for _, port := range p.ports {
		err := check(port)
		if err == nil || errors.Is(err, wire.NewError(wire.InvalidRequest, "")) {
			return err
		}
	}
	return denied()
}

// IsFake reports whether an address is one of those that Emscripten's fake DNS gives out. To a
// program in a page it stands for a name, not for itself.
func IsFake(addr netip.Addr) bool { return fakeDNS.Contains(addr.Unmap()) }
