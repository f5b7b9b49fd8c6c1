package policy

import "net/netip"

// Allow returns the rule that ParseRule makes of an address and a port: it allows exactly these.
// addr must be valid, have no zone and be no IPv4-mapped address.
func Allow(addr netip.AddrPort) Rule {
	ip := addr.Addr()
	return Rule{
		allow: true, text: addr.String(), kind: prefix,
		net: netip.PrefixFrom(ip, ip.BitLen()), ports: ports{addr.Port(), addr.Port()},
	}
}

// DenyAll returns the rule that denies every host at every port.
func DenyAll() Rule { return Rule{text: "*", kind: anyHost, ports: anyPort} }
