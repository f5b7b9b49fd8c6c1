package policy

import (
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// class is what kind of address an address is.
type class struct {
	name     string // with its source, for people
	public   bool   // the default allows it, and wildcards reach it
	internal bool   // hosts of an organisation live there: a rule with an exact name reaches it
	never    bool   // no rule reaches it
}

var publicClass = class{name: "public", public: true}

// The machine's own addresses are reached over the loopback interface, past any firewall.
var ownClass = class{name: "an address of the server itself", internal: true}

// Not global unicast: the Internet's IPv6 addresses are all in 2000::/3 (RFC 4291, 2.4;
// IANA's registry).
var outsideClass = class{name: "not global unicast, RFC 4291"}

// A page gives IPv4 addresses as such. The mapped form would be a second name for each,
// which address rules for IPv4 do not see; a caller that resolves names must unmap what it
// gets.
var mappedClass = class{name: "an IPv4-mapped IPv6 address; use the IPv4 address", never: true}

var invalidClass = class{name: "not an address", never: true}

// fakeDNS is what Emscripten's getaddrinfo invents for names (lib/libsockfs.js and libc's
// DNS emulation). It lies within 172.16.0.0/12.
var fakeDNS = netip.MustParsePrefix(wire.FakeNetwork)

var globalUnicast = netip.MustParsePrefix("2000::/3")

// special lists what is not public; the first prefix that contains an address names it,
// so the narrow ones stand first. Sources: the IANA IPv4 and IPv6 special-purpose address
// registries (RFC 6890) and the metadata addresses that the providers document.
var special = []struct {
	prefix netip.Prefix
	class  class
}{
	{netip.MustParsePrefix("0.0.0.0/32"), class{name: "unspecified"}},
	{netip.MustParsePrefix("0.0.0.0/8"), class{name: "this network, RFC 791"}},
	{netip.MustParsePrefix("10.0.0.0/8"), class{name: "private, RFC 1918", internal: true}},
	{netip.MustParsePrefix("100.64.0.0/10"), class{name: "shared with a carrier-grade NAT, RFC 6598", internal: true}},
	{netip.MustParsePrefix("127.0.0.0/8"), class{name: "loopback", internal: true}},
	{netip.MustParsePrefix("169.254.0.0/16"), class{name: "link-local, RFC 3927"}},
	{netip.MustParsePrefix("172.16.0.0/12"), class{name: "private, RFC 1918", internal: true}},
	{netip.MustParsePrefix("192.0.0.0/24"), class{name: "IETF protocol assignments, RFC 6890"}},
	{netip.MustParsePrefix("192.0.2.0/24"), class{name: "documentation, RFC 5737"}},
	{netip.MustParsePrefix("192.88.99.0/24"), class{name: "6to4 relay, RFC 7526"}},
	{netip.MustParsePrefix("192.168.0.0/16"), class{name: "private, RFC 1918", internal: true}},
	{netip.MustParsePrefix("198.18.0.0/15"), class{name: "benchmarking, RFC 2544"}},
	{netip.MustParsePrefix("198.51.100.0/24"), class{name: "documentation, RFC 5737"}},
	{netip.MustParsePrefix("203.0.113.0/24"), class{name: "documentation, RFC 5737"}},
	{netip.MustParsePrefix("224.0.0.0/4"), class{name: "multicast"}},
	{netip.MustParsePrefix("255.255.255.255/32"), class{name: "broadcast"}},
	{netip.MustParsePrefix("240.0.0.0/4"), class{name: "reserved, RFC 1112"}},

	{netip.MustParsePrefix("::/128"), class{name: "unspecified"}},
	{netip.MustParsePrefix("::1/128"), class{name: "loopback", internal: true}},
	{netip.MustParsePrefix("::/96"), class{name: "IPv4-compatible, RFC 4291"}},
	{netip.MustParsePrefix("64:ff9b::/96"), class{name: "NAT64, RFC 6052"}},
	{netip.MustParsePrefix("64:ff9b:1::/48"), class{name: "local NAT64, RFC 8215"}},
	{netip.MustParsePrefix("100::/64"), class{name: "discard, RFC 6666"}},
	{netip.MustParsePrefix("2001::/32"), class{name: "Teredo, RFC 4380"}},
	{netip.MustParsePrefix("2001:2::/48"), class{name: "benchmarking, RFC 5180"}},
	{netip.MustParsePrefix("2001:10::/28"), class{name: "ORCHID, RFC 4843"}},
	{netip.MustParsePrefix("2001:20::/28"), class{name: "ORCHIDv2, RFC 7343"}},
	{netip.MustParsePrefix("2001::/23"), class{name: "IETF protocol assignments, RFC 2928"}},
	{netip.MustParsePrefix("2001:db8::/32"), class{name: "documentation, RFC 3849"}},
	{netip.MustParsePrefix("2002::/16"), class{name: "6to4, RFC 3056"}},
	{netip.MustParsePrefix("3fff::/20"), class{name: "documentation, RFC 9637"}},
	{netip.MustParsePrefix("5f00::/16"), class{name: "segment routing, RFC 9602"}},
	{netip.MustParsePrefix("fc00::/7"), class{name: "unique local, RFC 4193", internal: true}},
	{netip.MustParsePrefix("fe80::/10"), class{name: "link-local, RFC 4291"}},
	{netip.MustParsePrefix("fec0::/10"), class{name: "site-local, RFC 3879"}},
	{netip.MustParsePrefix("ff00::/8"), class{name: "multicast"}},
}

// classOf is the class of an address on any machine.
func classOf(addr netip.Addr) class {
	switch {
	case !addr.IsValid():
		return invalidClass
	case addr.Is4In6():
		return mappedClass
	}
	bare := addr.WithZone("")
	if isMetadata(bare) {
		return metadataClass
	}
	for i := range special {
		if special[i].prefix.Contains(bare) {
			return special[i].class
		}
	}
	if addr.Is6() && !globalUnicast.Contains(bare) {
		return outsideClass
	}
	return publicClass
}

// Prefixes whose addresses lead to the IPv4 address inside them where a translator or a
// tunnel is set up, and the byte where it begins.
var embedding = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("::/96"), 12},
	{netip.MustParsePrefix("64:ff9b::/96"), 12},
	{netip.MustParsePrefix("2002::/16"), 2},
}

// embedded returns the IPv4 address that an IPv6 address leads to, or the zero Addr.
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return netip.Addr{}
	}
	bytes := addr.As16()
	for _, e := range embedding {
		if e.prefix.Contains(addr.WithZone("")) {
			return netip.AddrFrom4([4]byte(bytes[e.at : e.at+4]))
		}
	}
	return netip.Addr{}
}
