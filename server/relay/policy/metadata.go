package policy

import (
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// metadataClass is the class of the addresses at which clouds give credentials to any
// program that asks. Some of them look private, one looks public.
var metadataClass = class{name: "cloud metadata"}

// metadata lists those addresses, as the providers document them. Most providers use
// 169.254.169.254; the others and the IPv6 addresses are each provider's own.
var metadata = []struct {
	prefix   netip.Prefix
	provider string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), "most clouds"},
	{netip.MustParsePrefix("169.254.170.2/32"), "AWS ECS"},
	{netip.MustParsePrefix("169.254.170.23/32"), "AWS EKS"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "AWS"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "Google Cloud"},
	{netip.MustParsePrefix("168.63.129.16/32"), "Azure"},
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "Oracle Cloud"},
	{netip.MustParsePrefix("192.0.0.192/32"), "Oracle Cloud Classic"},
	{netip.MustParsePrefix("100.100.100.200/32"), "Alibaba Cloud"},
	{netip.MustParsePrefix("fd00:100::100:200/128"), "Alibaba Cloud"},
	{netip.MustParsePrefix("169.254.42.42/32"), "Scaleway"},
	{netip.MustParsePrefix("fd00:42::42/128"), "Scaleway"},
	{netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"), "Akamai"},
	{netip.MustParsePrefix("169.254.0.23/32"), "Tencent Cloud"},
	{netip.MustParsePrefix("169.254.10.10/32"), "Tencent Cloud"},
	{netip.MustParsePrefix("fe80::a9fe:a9fe/128"), "OpenStack"},
}

// isMetadata reports whether a cloud gives credentials at addr, which has no zone.
func isMetadata(addr netip.Addr) bool {
	for i := range metadata {
		if metadata[i].prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Metadata is a rule that lets pages reach the metadata of a cloud.
type Metadata struct {
	Rule     Rule
	Addr     netip.Addr
	Provider string
}

// Metadata returns the rules that allow an address at which a cloud gives credentials, each
// with the first such address that no earlier rule denies. Only rules about addresses can.
func (p *Policy) Metadata() (found []Metadata) {
	for i := range p.all {
		rule := &p.all[i]
		if !rule.allow || rule.kind != prefix {
			continue
		}
		protocol := p.For(max(rule.only, TCP))
		for _, m := range metadata {
			addr := m.prefix.Addr()
			if rule.net.Bits() > m.prefix.Bits() {
				addr = rule.net.Addr()
			}
			if !rule.net.Contains(addr) || !m.prefix.Contains(addr) {
				continue
			}
			d := protocol.decide(wire.HostOf(addr), nil, netip.AddrPortFrom(addr, rule.ports.first))
			if d.allowed && *d.rule == *rule {
				found = append(found, Metadata{*rule, addr, m.provider})
				break
			}
		}
	}
	return found
}
