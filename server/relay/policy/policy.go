// Package policy decides which targets may be reached. It is pure: it resolves nothing
// and dials nothing.
//
// A Policy is an ordered list of rules, and the first rule that matches decides. Behind
// the last rule stands a default that no list can lose: public unicast addresses are
// allowed, everything else is denied. See ParseRule for the rules.
//
// The decision is taken twice. CheckHost looks at the host as the page asked for it and
// refuses what can be refused before any DNS query. CheckAddr looks at one address just
// before it is dialed and has the last word, so a name that resolves to another address
// each time (DNS rebinding) gains nothing. It also looks at the names that the host is an
// alias of (CNAME): a rule that denies one of them denies the host.
package policy

import (
	"fmt"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// Policy is a list of rules with the default behind it. It does not change and may be
// used by any number of goroutines.
type Policy struct {
	all      []Rule
	protocol Protocol
	rules    []Rule                // of all, those that are about protocol
	ports    []uint16              // one for each range of ports that the rules tell apart
	own      func(netip.Addr) bool // reports whether this machine has the address; nil: it has none
}

// New returns the policy of these rules in this order. Without rules it allows public
// addresses only.
func New(rules []Rule) *Policy {
	return (&Policy{all: append([]Rule(nil), rules...)}).For(TCP)
}

// For returns the same policy as it is for a protocol; what New returns is for TCP.
func (p *Policy) For(protocol Protocol) *Policy {
	other := &Policy{all: p.all, protocol: protocol, own: p.own}
	for _, r := range p.all {
		if r.only == 0 || r.only == protocol {
			other.rules = append(other.rules, r)
		}
	}
	other.ports = distinctPorts(other.rules)
	return other
}

// WithOwn returns the same policy on a machine whose addresses own reports. They count
// as internal even where they are public: a connection to them passes no firewall. own is
// called for each check, by any number of goroutines.
func (p *Policy) WithOwn(own func(netip.Addr) bool) *Policy {
	other := *p
	other.own = own
	return &other
}

// classOf is the class of an address on this machine.
func (p *Policy) classOf(addr netip.Addr) class {
	c := classOf(addr)
	if c.public && p.own != nil && p.own(addr) {
		return ownClass
	}
	return c
}

// Rules returns a copy of the rules in their order, those of other protocols too.
func (p *Policy) Rules() []Rule {
	return append([]Rule(nil), p.all...)
}

// CheckHost is the early check: host as the page asked for it, a name or an address
// literal. It returns nil if the target may be allowed, which for a name is known only
// once it is resolved: every address must still pass CheckAddr. The error is a
// *wire.Error: invalid_request for what ValidHost refuses, denied or fake_address for
// what no address could make allowed.
func (p *Policy) CheckHost(host wire.Host, port uint16) error {
	if err := ValidHost(host); err != nil {
		return err
	}
	if addr := host.Addr(); addr.IsValid() {
		return p.CheckAddr(host, nil, netip.AddrPortFrom(addr, port))
	}
	name := canonical(host.Name())
	for i := range p.rules {
		rule := &p.rules[i]
		if !rule.ports.contain(port) {
			continue
		}
		switch rule.kind {
		case exactName, subdomains, anyHost:
			if !rule.matchName(name) {
				continue
			}
			if rule.allow {
				return nil
			}
			return &wire.Error{Code: wire.Denied, Text: fmt.Sprintf("%s is denied by the rule %q", host.At(port), rule)}
		case prefix, publicOnly:
			if rule.allow {
				return nil // whether it matches is known only with the address
			}
		}
	}
	return nil
}

// CheckAddr is the last check: host as the page asked for it, the names that it is an alias
// of, and the address that is about to be dialed for it. It returns nil or a *wire.Error
// with the code denied or fake_address, whose text names the host, the address and the rule
// that decided.
func (p *Policy) CheckAddr(host wire.Host, aliases []string, addr netip.AddrPort) error {
	return p.decide(host, aliases, addr).err()
}

// Explain says in one sentence whether host at addr is allowed and by what.
func (p *Policy) Explain(host wire.Host, aliases []string, addr netip.AddrPort) string {
	return p.decide(host, aliases, addr).String()
}

// decision is what decide found and why.
type decision struct {
	host    wire.Host
	addr    netip.AddrPort
	class   class
	allowed bool
	rule    *Rule  // nil: the default
	alias   string // that rule is about; empty: rule is about host or the address
	fake    bool   // a literal of Emscripten's fake DNS that no rule decided
}

func (p *Policy) decide(host wire.Host, aliases []string, addr netip.AddrPort) decision {
	d := decision{host: host, addr: addr, class: p.classOf(addr.Addr())}
	if d.class.never {
		return d
	}
	asked := namesOf(host, aliases)
	for i := range p.rules {
		rule := &p.rules[i]
		if !rule.ports.contain(addr.Port()) || !rule.match(asked, addr.Addr(), d.class) {
			continue
		}
		d.rule, d.allowed, d.alias = rule, rule.allow, rule.aliasOf(asked)
		return d
	}
	d.allowed = d.class.public
	d.fake = host.Addr().IsValid() && fakeDNS.Contains(addr.Addr())
	return d
}

// err is nil if the target is allowed.
func (d decision) err() error {
	if d.allowed {
		return nil
	}
	code := wire.Denied
	if d.fake {
		code = wire.FakeAddress
	}
	return &wire.Error{Code: code, Text: d.String()}
}

// String is the sentence of Explain and of the errors.
func (d decision) String() string {
	what := d.host.At(d.addr.Port())
	if d.addr.Port() == 0 { // the host alone
		what = d.host.String()
	}
	if d.host.Addr() != d.addr.Addr() {
		what += " at " + d.addr.Addr().String()
	}
	if d.alias != "" {
		what += ", an alias of " + d.alias + ","
	}
	switch {
	case d.rule != nil && d.allowed:
		return fmt.Sprintf("%s is allowed by the rule %q", what, d.rule)
	case d.rule != nil:
		return fmt.Sprintf("%s is denied by the rule %q", what, d.rule)
	case d.allowed:
		return what + ` is allowed by the default "allow public"`
	case d.fake:
		return what + " is an address of Emscripten's fake DNS, not the target's: the program looked the name up where the name is not known to the tunnel"
	case d.class.never:
		return fmt.Sprintf("%s is denied: %s", what, d.class.name)
	default:
		return fmt.Sprintf("%s is denied: the address is not public (%s) and no rule allows it", what, d.class.name)
	}
}
