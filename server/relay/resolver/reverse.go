package resolver

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// PTR is the network of Lookup that asks for the names of an address.
const PTR = "ptr"

// Where the DNS has the names of addresses (RFC 1035, section 3.5; RFC 3596, section 2.5).
const (
	reverse4 = ".in-addr.arpa"
	reverse6 = ".ip6.arpa"
)

// maxNames is how many names of one address are kept.
const maxNames = 16

// Reverse returns the address whose names stand below a name, such as 192.0.2.1 for
// 1.2.0.192.in-addr.arpa. ok is false for a name that is not that of one address.
func Reverse(name string) (addr netip.Addr, ok bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if rest, below := strings.CutSuffix(name, reverse4); below {
		labels := strings.Split(rest, ".")
		slices.Reverse(labels)
		addr, err := netip.ParseAddr(strings.Join(labels, "."))
		return addr, err == nil && addr.Is4()
	}
	rest, below := strings.CutSuffix(name, reverse6)
	labels := strings.Split(rest, ".")
	if !below || len(labels) != 32 {
		return netip.Addr{}, false
	}
	var bytes [16]byte
	for i, label := range labels {
		digit, err := strconv.ParseUint(label, 16, 4)
		if err != nil || len(label) != 1 {
			return netip.Addr{}, false
		}
		bytes[15-i/2] |= byte(digit) << (4 * (i % 2))
	}
	return netip.AddrFrom16(bytes), true
}
