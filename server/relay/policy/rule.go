package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sockmux/sockmux/shared/wire"
)

// Rule allows or denies some targets. Rules are made by ParseRule and do not change.
type Rule struct {
	allow bool
	text  string
	kind  kind
	name  string       // exactName, subdomains: lower case, no trailing dot, for subdomains without "*."
	net   netip.Prefix // prefix: masked
	ports ports
	only  Protocol // 0: every protocol
}

// kind is what a rule looks at.
type kind uint8

const (
	exactName  kind = iota + 1 // the name as requested
	subdomains                 // every name below, not the name itself
	anyHost                    // every host
	prefix                     // the address that is dialed
	publicOnly                 // the address that is dialed, if it is public
)

// publicWord is the host of the rules about all public addresses. It is no name that
// any person can own.
const publicWord = "public"

// ports is a range with both ends.
type ports struct{ first, last uint16 }

var anyPort = ports{1, 65535}

func (p ports) contain(port uint16) bool { return p.first <= port && port <= p.last }

// errForm is the same for all mistakes: the grammar fits into one line.
var errForm = errors.New(`want HOST or HOST:PORT, where HOST is a name, *.NAME, *, an IPv4 address, an [IPv6] address, either with /BITS, or the word public, and PORT is a number, FIRST-LAST or *`)

// Protocol is what is spoken to a target.
type Protocol uint8

// The protocols that rules can name.
const (
	TCP Protocol = iota + 1
	UDP
)

func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	}
	return "every protocol"
}

// ParseRule reads the text of one rule: HOST or HOST:PORT, behind tcp:// or udp:// where
// it is about that protocol only. PORT is a number, FIRST-LAST or "*", which is also what
// a rule without PORT means. HOST is one of
//
//	example.org       the host of that name
//	*.example.org     every host below that name, not the name itself
//	*                 every host
//	192.0.2.7         that address; so 10.0.0.0/8 for a network
//	[2001:db8::7]     that address; a network is [2001:db8::]/32 or [2001:db8::/32], and without a port also 2001:db8::/32
//	public            every public address
//
// Rules with a name match the name as it was requested, without regard to case and a
// trailing dot. Rules with an address match the address that is dialed, whatever was
// requested. A rule that denies matches whatever it describes: one that denies a name
// also matches each name that is an alias of it (CNAME), and one that denies an IPv4
// network also matches the NAT64, 6to4 and IPv4-compatible addresses that lead there.
// What a rule that allows can reach depends on how exactly it says so:
//
//   - an address or a network reaches whatever is in it, public or not;
//   - an exact name reaches public addresses and those on which organizations run hosts
//     (private, carrier-shared, unique local, loopback, the server's own), because the
//     operator has named that very host; it does not reach link-local, multicast or
//     reserved addresses, nor the metadata addresses of clouds;
//   - *.NAME, * and public reach public addresses only, because the owner of a name below
//     can point it anywhere.
//
// IPv4-mapped IPv6 addresses are reached by no rule: they are a second spelling of IPv4 addresses.
func ParseRule(allow bool, text string) (Rule, error) {
	rule := Rule{allow: allow, text: text, ports: anyPort}
	rest := text
	for _, p := range []Protocol{TCP, UDP} {
		if cut, ok := strings.CutPrefix(text, p.String()+"://"); ok {
			rest, rule.only = cut, p
		}
	}
	host, port, hasPort, err := split(rest)
	if err != nil {
		return Rule{}, err
	}
	if hasPort {
		if rule.ports, err = parsePorts(port); err != nil {
			return Rule{}, err
		}
	}
	if err := rule.setHost(host); err != nil {
		return Rule{}, err
	}
	return rule, nil
}

// Allows tells a rule that allows from one that denies.
func (r Rule) Allows() bool { return r.allow }

// String returns "allow TEXT" or "deny TEXT" with the text that was parsed.
func (r Rule) String() string {
	if r.allow {
		return "allow " + r.text
	}
	return "deny " + r.text
}

// split takes the port from a rule's text and the brackets from its host.
func split(text string) (host, port string, hasPort bool, err error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		inner, rest, closed := strings.Cut(inner, "]")
		if !closed {
			return "", "", false, errForm
		}
		bits, isNet := strings.CutPrefix(rest, "/")
		if isNet {
			bits, port, hasPort = strings.Cut(bits, ":")
			return bracketed(inner+"/"+bits, port, hasPort)
		}
		if rest == "" {
			return bracketed(inner, "", false)
		}
		if port, hasPort = strings.CutPrefix(rest, ":"); !hasPort {
			return "", "", false, errForm
		}
		return bracketed(inner, port, true)
	}
	if strings.Count(text, ":") > 1 { // IPv6 without brackets has no port
		return text, "", false, nil
	}
	host, port, hasPort = strings.Cut(text, ":")
	return host, port, hasPort, nil
}

// bracketed passes only IPv6 on: brackets hold nothing else.
func bracketed(host, port string, hasPort bool) (string, string, bool, error) {
	if !strings.Contains(host, ":") {
		return "", "", false, errForm
	}
	return host, port, hasPort, nil
}

func parsePorts(text string) (ports, error) {
	if text == "*" {
		return anyPort, nil
	}
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	first, err1 := parsePort(low)
	last, err2 := parsePort(high)
	if err1 != nil || err2 != nil || first > last {
		return ports{}, fmt.Errorf("port %q is out of range: want a number from 1 to 65535, FIRST-LAST or *", text)
	}
	return ports{first, last}, nil
}

func parsePort(text string) (uint16, error) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, errForm
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, errForm
	}
	return uint16(n), nil
}

func (r *Rule) setHost(host string) error {
	if strings.EqualFold(host, publicWord) {
		r.kind = publicOnly
		return nil
	}
	if host == "*" {
		r.kind = anyHost
		return nil
	}
	if strings.Contains(host, "/") {
		network, err := netip.ParsePrefix(host)
		if err != nil {
			return fmt.Errorf("%q is not a network: want ADDRESS/BITS, such as 10.0.0.0/8 or [fd00::]/8", host)
		}
		return r.setNet(network)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return fmt.Errorf("%q has a zone: rules are about addresses without one", host)
		}
		return r.setNet(netip.PrefixFrom(addr, addr.BitLen()))
	}
	name, below := strings.CutPrefix(host, "*.")
	if err := validName(name); err != nil {
		return fmt.Errorf("host %q: %w; %w", host, err, errForm)
	}
	r.kind, r.name = exactName, canonical(name)
	if below {
		r.kind = subdomains
	}
	return nil
}

func (r *Rule) setNet(network netip.Prefix) error {
	if network.Addr().Is4In6() {
		return fmt.Errorf("%q is IPv4-mapped: write the IPv4 address", network)
	}
	if network != network.Masked() {
		return fmt.Errorf("%q has bits beyond its length: did you mean %s?", network, network.Masked())
	}
	r.kind, r.net = prefix, network
	return nil
}

// names are what a host is called: as it was requested, and what that is an alias of. All
// are canonical.
type names struct {
	requested string // "" where an address was
	aliases   []string
	localhost bool // an address of localhost was requested
}

func namesOf(host wire.Host, aliases []string) names {
	addr := host.Addr()
	return names{
		requested: canonical(host.Name()),
		aliases:   aliases,
		localhost: addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback(),
	}
}

// matchName reports whether the rule is about this name, which must be canonical.
func (r *Rule) matchName(name string) bool {
	switch r.kind {
	case exactName:
		return name == r.name
	case subdomains:
		return len(name) > len(r.name)+1 && strings.HasSuffix(name, r.name) && name[len(name)-len(r.name)-1] == '.'
	case anyHost:
		return true
	default:
		return false
	}
}

// matchRequested reports whether the rule is about what was requested. A rule about localhost
// is about its addresses too (RFC 6761, section 6.3): programs that ask for localhost dial them.
func (r *Rule) matchRequested(n names) bool {
	return r.matchName(n.requested) || n.localhost && r.kind == exactName && r.name == "localhost"
}

// matchNames reports whether the rule is about one of these names. A rule that allows goes
// by the requested name alone: the owner of that name can make it an alias of any other.
func (r *Rule) matchNames(n names) bool {
	return r.matchRequested(n) || !r.allow && slices.ContainsFunc(n.aliases, r.matchName)
}

// aliasOf returns the alias by which the rule matches; empty if it needs none.
func (r *Rule) aliasOf(n names) string {
	if r.allow || r.kind != exactName && r.kind != subdomains || r.matchRequested(n) {
		return ""
	}
	return n.aliases[slices.IndexFunc(n.aliases, r.matchName)]
}

// match reports whether the rule decides about this address, dialed for a host of these names.
func (r *Rule) match(n names, addr netip.Addr, class class) bool {
	switch r.kind {
	case prefix:
		if r.net.Contains(addr.WithZone("")) {
			return true
		}
		return !r.allow && r.net.Contains(embedded(addr))
	case publicOnly:
		return class.public
	case exactName:
		return r.matchNames(n) && (!r.allow || class.public || class.internal)
	default:
		return r.matchNames(n) && (!r.allow || class.public)
	}
}
