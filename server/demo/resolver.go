package demo

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// hosts is how many names h1.test, h2.test and so on there are: more than a page opens sockets at once, so a test can give each a host of its own.
const hosts = 300

// topLevel is reserved for tests (RFC 6761, 6.2): no name below it exists elsewhere.
const topLevel = ".test"

// Resolver is what is replaced: resolver.Resolver has its contract.
type Resolver interface {
	Lookup(ctx context.Context, network, host string) (addrs []netip.Addr, aliases []string, err error)
}

// Resolver returns a resolver that answers demo.test and h1.test to h300.test with the address of the services, says that no other name below .test exists, and
// asks next for all other names.
func (d *Demo) Resolver(next Resolver) Resolver {
	return &resolver{addr: d.addr, next: next}
}

type resolver struct {
	addr netip.Addr
	next Resolver
}

// Lookup is that of next.
func (r *resolver) Lookup(ctx context.Context, network, host string) ([]netip.Addr, []string, error) {
	name, below := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), topLevel)
	if !below {
		return r.next.Lookup(ctx, network, host)
	}
	fits := network == "ip" || network == "ip4" && r.addr.Is4() || network == "ip6" && r.addr.Is6()
	if !fits || !isHost(name) {
		return nil, nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{r.addr}, nil, nil
}

// isHost knows the names without their top level.
func isHost(name string) bool {
	if name == "demo" {
		return true
	}
	digits, numbered := strings.CutPrefix(name, "h")
	n, err := strconv.Atoi(digits)
	return numbered && err == nil && 1 <= n && n <= hosts && strconv.Itoa(n) == digits
}
