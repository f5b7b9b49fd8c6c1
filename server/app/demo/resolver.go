package demo

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sockmux/sockmux/server/relay/resolver"
)

// hosts is how many names h1.test, h2.test and so on there are: more than a page opens
// sockets at once, so a test can give each a host of its own.
const hosts = 300

// topLevel is reserved for tests (RFC 6761, 6.2): no name below it exists elsewhere.
const topLevel = ".test"

// ttl is that of the demo's names, which last as long as the server.
const ttl = time.Minute

// Resolver is what is replaced: resolver.Resolver has its contract.
type Resolver interface {
	Lookup(ctx context.Context, network, host string) (resolver.Answer, error)
}

// Resolver returns a resolver that answers demo.test and h1.test to h300.test with the
// address of the services, says that no other name below .test exists, and asks next for
// all other names.
func (d *Demo) Resolver(next Resolver) Resolver {
	return &names{addr: d.addr, next: next}
}

type names struct {
	addr netip.Addr
	next Resolver
}

// Lookup is that of next.
func (r *names) Lookup(ctx context.Context, network, host string) (resolver.Answer, error) {
	name, below := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), topLevel)
	if !below {
		return r.next.Lookup(ctx, network, host)
	}
	fits := network == "ip" || network == "ip4" && r.addr.Is4() || network == "ip6" && r.addr.Is6()
	if !fits || !isHost(name) {
		return resolver.Answer{}, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return resolver.Answer{Addrs: []netip.Addr{r.addr}, TTL: ttl}, nil
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
