package policy

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sockmux/sockmux/shared/wire"
)

// ListenRule allows clients to bind addresses of this machine. Rules are made by ParseListenRule
// and do not change. There is no rule that denies, since nothing is allowed without a rule.
type ListenRule struct {
	text  string
	any   bool       // every address of the machine
	addr  netip.Addr // if not any
	ports ports
	only  Protocol // 0: every protocol
}

// errListenForm is the same for all mistakes.
var errListenForm = errors.New("want ADDRESS:PORT, where ADDRESS is an IPv4 address, an [IPv6] address or *, and PORT is a number, FIRST-LAST or *")

// ParseListenRule reads the text of one rule: ADDRESS:PORT, behind tcp:// or udp:// where it is
// about that protocol only. ADDRESS is an address of this machine, or * for all of them; PORT is a
// number, FIRST-LAST or *.
func ParseListenRule(text string) (ListenRule, error) {
	rule := ListenRule{text: text}
	rest := text
	for _, p := range []Protocol{TCP, UDP} {
		if cut, ok := strings.CutPrefix(text, p.String()+"://"); ok {
			rest, rule.only = cut, p
		}
	}
	host, port, hasPort, err := split(rest)
	if err != nil || !hasPort {
		return ListenRule{}, errListenForm
	}
	if rule.ports, err = parsePorts(port); err != nil {
		return ListenRule{}, err
	}
	if host == "*" {
		rule.any = true
		return rule, nil
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil || addr.Zone() != "":
		return ListenRule{}, errListenForm
	case addr.IsUnspecified():
		return ListenRule{}, fmt.Errorf("%q stands for every address: write *", addr)
	case addr.IsMulticast() || addr.Is4In6():
		return ListenRule{}, fmt.Errorf("%q is no address to listen on", addr)
	}
	rule.addr = addr
	return rule, nil
}

// String returns the text that was parsed.
func (r ListenRule) String() string { return r.text }

// Place is where a client may listen.
type Place struct {
	Addr        netip.Addr // the unspecified address stands for every one of the machine
	First, Last uint16     // the ports; 0 and 0: any that is free
}

// ListenRules are the rules of one policy. Nothing is allowed without one.
type ListenRules []ListenRule

// Find returns where a client may listen that asks for an address and a port. The unspecified
// address stands for whichever the rules allow: the first that fits decides. 0.0.0.0 fits IPv4, and
// :: fits both families, or IPv6 if family is 6. Port 0 stands for any that is allowed.
//
// The error is a *wire.Error with the code denied.
func (rules ListenRules) Find(protocol Protocol, addr netip.Addr, port uint16, family uint8) (Place, error) {
	for _, r := range rules {
		if r.only != 0 && r.only != protocol || port != 0 && !r.ports.contain(port) {
			continue
		}
		place := Place{Addr: r.addr, First: r.ports.first, Last: r.ports.last}
		switch {
		case r.any:
			place.Addr = addr
		case addr == r.addr:
		case !addr.IsUnspecified(), addr.Is4() && r.addr.Is6(), family == 6 && r.addr.Is4(), family == 4 && r.addr.Is6():
			continue
		}
		switch {
		case port != 0:
			place.First, place.Last = port, port
		case r.ports == anyPort:
			place.First, place.Last = 0, 0
		}
		return place, nil
	}
	return Place{}, wire.NewError(wire.Denied, fmt.Sprintf("listening on %s (%s) is denied: no --allow-listen allows it", netip.AddrPortFrom(addr, port), protocol))
}
