package resolver

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
)

// What the system says is returned as the relay knows it, whatever its shape.
func TestSystemErrors(t *testing.T) {
	own := system{func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }}
	f, err := own.lookup(t.Context(), question{"ip", "a.example"})
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsNotFound || dns.Name != "a.example" || f.ttl >= 0 {
		t.Errorf("a resolver without a route: %v, %v", f, err)
	}
}

// The names on the way to the addresses are known, whether the answer came over UDP or TCP,
// and the name is asked for as it is.
func TestSystemAliases(t *testing.T) {
	s := serveZone(t, zone{
		"alias.example. A":    {records: []string{"60 CNAME B.example.", "b.example. 60 CNAME c.example.", "c.example. 60 A 192.0.2.7"}},
		"alias.example. AAAA": {records: []string{"60 CNAME d.example.", "d.example. 60 AAAA 2001:db8::7"}},
		"long.example. A":     {truncated: true, records: []string{"60 CNAME e.example.", "e.example. 60 A 192.0.2.9"}},
		"long.example. AAAA":  {soa: 10},
		"short. A":            {soa: 10},
		"short. AAAA":         {soa: 10},
	})
	own := system{func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr)
	}}
	for _, test := range []struct{ host, addrs, aliases string }{
		{"alias.example", "192.0.2.7 2001:db8::7", "b.example c.example d.example"},
		{"alias.example.", "192.0.2.7 2001:db8::7", "b.example c.example d.example"},
		{"long.example", "192.0.2.9", "e.example"},
	} {
		f, err := own.lookup(t.Context(), question{"ip", test.host})
		slices.Sort(f.aliases)
		got := strings.Fields(texts(f.addrs))
		slices.Sort(got)
		if err != nil || strings.Join(got, " ") != test.addrs || strings.Join(f.aliases, " ") != test.aliases {
			t.Errorf("%s: %v, error %v", test.host, f, err)
		}
	}
	if _, err := own.lookup(t.Context(), question{"ip", "short"}); !isNotFound(err) {
		t.Errorf("short: %v", err)
	}
	for _, asked := range s.asked() {
		if name := strings.Fields(asked)[1]; !slices.Contains([]string{"alias.example.", "long.example.", "short."}, name) {
			t.Errorf("%s was asked", asked)
		}
	}
}
