package session

import (
	"crypto/tls"
	"net/http"
	"net/netip"
)

// Peer is who is at the other end of a carrier, as far as the connection shows it. Whoever makes one does not change it afterwards.
type Peer struct {
	// Address is the client's own, for logs and for what is counted by client: what the connection shows or, where that is a trusted proxy, what the proxy says. An address
	// with its port, or without one where the port is not known.
	Address string
	// Direct is the other end of the TCP connection; empty: as Address.
	Direct string
	// Header is that of the upgrade; may be nil.
	Header http.Header
	// TLS describes the connection; nil without TLS.
	TLS *tls.ConnectionState
}

func (p Peer) String() string { return p.Address }

// network names the client's network for what is counted by client: an IPv4 address, or the 64 bits of an IPv6 address that one customer has at least. It is the
// whole text where that is no address.
func (p Peer) network() string {
	addr, err := netip.ParseAddr(p.Address)
	if err != nil {
		with, err := netip.ParseAddrPort(p.Address)
		if err != nil {
			return p.Address
		}
		addr = with.Addr()
	}
	addr = addr.Unmap().WithZone("")
	const customer = 64 // RFC 6177
	if addr.Is6() {
		if network, err := addr.Prefix(customer); err == nil {
			return network.String()
		}
	}
	return addr.String()
}
