package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/shared/wire"
)

// maxAddresses is how many addresses of a name are tried. With 250 ms between the
// attempts the last one begins after four seconds; a name that lists more is not better
// reachable for it, but would make the server a scanner.
const maxAddresses = 16

// neverAsked are the top levels whose names programs must not ask the DNS for: the
// question would tell others where a user of Tor goes (RFC 7686, 2), or has an answer
// that is known (RFC 6761, 6.4).
var neverAsked = []string{".onion", ".invalid"}

// resolve returns the addresses to dial for a request, in the order in which to try them,
// without those that the policy denies, and the names that the host is an alias of. It
// never returns an empty list without an error.
func (r *service) resolve(ctx context.Context, request wire.Request) (targets []netip.AddrPort, aliases []string, err error) {
	var addrs []netip.Addr
	if literal := request.Host.Addr(); literal.IsValid() {
		if err := fits(request); err != nil {
			return nil, nil, err
		}
		addrs = []netip.Addr{literal}
	} else {
		resolved := r.step(events.StepResolve, netip.AddrPort{})
		answer, err := r.lookup(ctx, request.Host.Name(), request.Family)
		resolved(err)
		if err != nil {
			return nil, nil, err
		}
		addrs, aliases = answer.Addrs, answer.Aliases
	}
	asked := r.step(events.StepPolicy, netip.AddrPort{})
	targets, err = r.allowed(request, aliases, addrs)
	asked(err)
	return targets, aliases, err
}

// fits returns an error if the host of a request is an address of another family than the one
// that the request wants.
func fits(request wire.Request) error {
	literal := request.Host.Addr()
	if family := request.Family; family == 4 && !literal.Is4() || family == 6 && !literal.Is6() {
		return &wire.Error{Code: wire.AddressNotAvailable, Text: fmt.Sprintf("%s is no IPv%d address", literal, family)}
	}
	return nil
}

// allowed are those of the addresses that the policy does not deny, in the order in which
// to try them. It never returns an empty list without an error.
func (r *service) allowed(request wire.Request, aliases []string, addrs []netip.Addr) ([]netip.AddrPort, error) {
	var targets []netip.AddrPort
	var denied error
	for _, addr := range interleave(addrs) {
		target := netip.AddrPortFrom(addr, request.Port)
		if err := r.Policy.CheckAddr(request.Host, aliases, target); err != nil {
			if denied == nil {
				denied = err
			}
			continue
		}
		if len(targets) < maxAddresses {
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return nil, denied
	}
	return targets, nil
}

// lookup asks the resolver. It returns one address or more, without IPv4-mapped ones and
// duplicates, in the resolver's order.
func (r *service) lookup(ctx context.Context, host string, family uint8) (resolver.Answer, error) {
	network, what := "ip", "address"
	if family != 0 {
		network, what = fmt.Sprintf("ip%d", family), fmt.Sprintf("IPv%d address", family)
	}
	if name := strings.ToLower(strings.TrimSuffix(host, ".")); slices.ContainsFunc(neverAsked, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return resolver.Answer{}, &wire.Error{Code: wire.NameNotFound, Text: fmt.Sprintf("%s has no %s: no name there is in the DNS", host, what)}
	}
	found, err := r.ask(ctx, network, host, what)
	if err != nil {
		return resolver.Answer{}, err
	}
	var addrs []netip.Addr
	for _, addr := range found.Addrs {
		// Resolvers give IPv4 in either form; policy and dialer want the plain one.
		addr = addr.Unmap()
		if family == 4 && !addr.Is4() || family == 6 && !addr.Is6() || slices.Contains(addrs, addr) {
			continue
		}
		addrs = append(addrs, addr)
	}
	if len(addrs) == 0 {
		return resolver.Answer{}, &wire.Error{Code: wire.NameNotFound, Text: fmt.Sprintf("%s has no %s", host, what)}
	}
	found.Addrs = addrs
	return found, nil
}

// ask asks the resolver. what says in a sentence what the host has none of, if it is not found.
func (r *service) ask(ctx context.Context, network, host, what string) (resolver.Answer, error) {
	found, err := r.Resolver.Lookup(ctx, network, host)
	if err != nil {
		f := &failure{code: lookupCode(ctx, err), err: fmt.Errorf("resolving: %w", err)}
		switch f.code {
		case wire.NameNotFound:
			f.text = fmt.Sprintf("%s has no %s", host, what)
		case wire.TimedOut:
			f.text = fmt.Sprintf("resolving %s took too long", host)
		default:
			f.text = fmt.Sprintf("resolving %s: %s", host, f.code.Meaning())
		}
		return resolver.Answer{}, f
	}
	return found, nil
}

// lookupCode tells a name that does not exist from a resolver that does not work.
func lookupCode(ctx context.Context, err error) wire.Code {
	if ctx.Err() != nil {
		return codeOf(context.Cause(ctx))
	}
	var dns *net.DNSError
	var family *net.AddrError // the name has addresses, but none of the family
	switch {
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &family):
		return wire.NameNotFound
	}
	if code := codeOf(err); code == wire.Limit {
		return code
	}
	return wire.NameFailed
}

// interleave orders addresses as RFC 8305, section 4, wants them: the families take
// turns, beginning with that of the resolver's first address (which RFC 6724 has chosen),
// each in the resolver's order.
func interleave(addrs []netip.Addr) []netip.Addr {
	var families [2][]netip.Addr
	for _, addr := range addrs {
		i := 0
		if addr.Is4() != addrs[0].Is4() {
			i = 1
		}
		families[i] = append(families[i], addr)
	}
	ordered := make([]netip.Addr, 0, len(addrs))
	for i := 0; len(ordered) < len(addrs); i++ {
		for _, family := range families {
			if i < len(family) {
				ordered = append(ordered, family[i])
			}
		}
	}
	return ordered
}
