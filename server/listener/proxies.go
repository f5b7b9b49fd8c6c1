package listener

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Proxies are the addresses that are trusted to tell who the client is. nil trusts none.
type Proxies []netip.Prefix

// ParseProxy reads an address or a CIDR block. The error does not repeat the text.
func ParseProxy(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return netip.Prefix{}, errors.New("no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8")
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("bits are set beyond the length: write %s", prefix.Masked())
	case prefix.Bits() == 0:
		return netip.Prefix{}, errors.New("this trusts every client, so any client could claim any address: name the proxies")
	}
	return prefix, nil
}

// Contains reports whether addr is a trusted proxy.
func (p Proxies) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// client walks X-Forwarded-For from the right, past trusted proxies, to the first address
// that is none of them. peer is the connection's other end. What does not parse ends the
// walk: nothing beyond it can be trusted, so the last address that could is the client.
func (p Proxies) client(peer netip.Addr, forwarded []string) netip.Addr {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && p.Contains(peer); i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = hop
	}
	return peer
}

// parseHop reads one element of X-Forwarded-For. Some proxies add a port.
func parseHop(text string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return addr.Unmap().WithZone(""), err
}

// addrOf gives the IP address of a socket.
func addrOf(a net.Addr) (netip.Addr, error) {
	withPort, err := netip.ParseAddrPort(a.String())
	return withPort.Addr().Unmap().WithZone(""), err
}
