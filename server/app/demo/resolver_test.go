package demo_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/server/relay/resolver"
)

type next func(network, host string) ([]netip.Addr, error)

func (n next) Lookup(_ context.Context, network, host string) (resolver.Answer, error) {
	addrs, err := n(network, host)
	return resolver.Answer{Addrs: addrs}, err
}

func TestResolver(t *testing.T) {
	elsewhere := netip.MustParseAddr("192.0.2.1")
	r := start(t).Resolver(next(func(network, host string) ([]netip.Addr, error) {
		if network != "ip" {
			t.Errorf("network %q", network)
		}
		return []netip.Addr{elsewhere}, nil
	}))
	local := netip.MustParseAddr("127.0.0.1")
	for _, test := range []struct {
		network, host string
		want          netip.Addr // zero: no such host
	}{
		{"ip", "demo.test", local},
		{"ip4", "demo.test", local},
		{"ip6", "demo.test", netip.Addr{}},
		{"ip", "DEMO.Test.", local},
		{"ip", "h1.test", local},
		{"ip", "h300.test", local},
		{"ip", "h0.test", netip.Addr{}},
		{"ip", "h301.test", netip.Addr{}},
		{"ip", "h01.test", netip.Addr{}},
		{"ip", "h+1.test", netip.Addr{}},
		{"ip", "h.test", netip.Addr{}},
		{"ip", "1.test", netip.Addr{}},
		{"ip", "a.demo.test", netip.Addr{}},
		{"ip", ".test", netip.Addr{}},
		{"ip", "test", elsewhere},
		{"ip", "example.org", elsewhere},
		{"ip", "demo.test.example.org", elsewhere},
	} {
		answer, err := r.Lookup(t.Context(), test.network, test.host)
		got := answer.Addrs
		if !test.want.IsValid() {
			var dns *net.DNSError
			if !errors.As(err, &dns) || !dns.IsNotFound {
				t.Errorf("%s %s: %v, %v; want no such host", test.network, test.host, got, err)
			}
			continue
		}
		if err != nil || len(got) != 1 || got[0] != test.want {
			t.Errorf("%s %s: %v, %v; want %s", test.network, test.host, got, err, test.want)
		}
	}
}
