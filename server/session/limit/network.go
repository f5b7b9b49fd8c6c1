package limit

import "net/netip"

// customer is how many bits of an IPv6 address one customer has at least (RFC 6177).
const customer = 64

// Network names the network of an address: an IPv4 address, or the 64 bits of an IPv6 address
// that one customer has at least. address may have a port. What is no address is a network of
// its own.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil {
		with, err := netip.ParseAddrPort(address)
		if err != nil {
			return address
		}
		addr = with.Addr()
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(customer); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
