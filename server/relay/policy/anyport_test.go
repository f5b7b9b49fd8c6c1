package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// lines splits the text of a table.
func lines(rules string) []string {
	if rules == "" {
		return nil
	}
	return strings.Split(rules, ", ")
}

// A host may be known if any port of it may be reached, and only then.
func TestAnyPort(t *testing.T) {
	for _, test := range []struct {
		rules string
		host  string
		addr  string // that it resolves to; empty: the host is refused before
		code  wire.Code
	}{
		{"", "public.example", "8.8.8.8", wire.OK},
		{"", "private.example", "10.0.0.1", wire.Denied},
		{"", "10.0.0.1", "", wire.Denied},
		{"", "172.29.1.0", "", wire.FakeAddress},
		{"", "127.1", "", wire.InvalidRequest},
		{"allow 10.0.0.0/8:5432", "private.example", "10.0.0.1", wire.OK},
		{"allow 10.0.0.0/8:65535", "private.example", "10.0.0.1", wire.OK},
		{"deny *:1-65534", "public.example", "8.8.8.8", wire.OK},
		{"deny *:1-79, deny *:80-65535", "public.example", "", wire.Denied},
		{"deny *:80", "public.example", "8.8.8.8", wire.OK},
		{"deny public", "public.example", "8.8.8.8", wire.Denied},
		{"deny *.example", "public.example", "", wire.Denied},
		{"allow db.example:5432, deny *", "db.example", "10.0.0.1", wire.OK},
		{"allow db.example:5432, deny *", "other.example", "", wire.Denied},
		{"deny 8.8.8.8:53, deny 8.8.8.8:1-52, deny 8.8.8.8:54-65535", "public.example", "8.8.8.8", wire.Denied},
	} {
		p := of(t, lines(test.rules)...)
		err := p.CheckHostAnyPort(wire.ParseHost(test.host))
		if test.addr != "" {
			if err != nil {
				t.Errorf("%q, %s: refused before it is resolved: %v", test.rules, test.host, err)
				continue
			}
			err = p.CheckAddrAnyPort(wire.ParseHost(test.host), nil, netip.MustParseAddr(test.addr))
		}
		if got := codeOf(t, err); got != test.code {
			t.Errorf("%q, %s at %q: %v, want %s", test.rules, test.host, test.addr, err, test.code)
		}
	}
	p := of(t, "deny secret.example")
	if err := p.CheckAddrAnyPort(wire.ParseHost("other.example"), []string{"secret.example"}, netip.MustParseAddr("8.8.8.8")); codeOf(t, err) != wire.Denied {
		t.Errorf("an alias of a name that is denied: %v", err)
	}
	err := p.CheckAddrAnyPort(wire.ParseHost("private.example"), nil, netip.MustParseAddr("10.0.0.1"))
	if want := "private.example at 10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it"; err == nil || err.(*wire.Error).Text != want {
		t.Errorf("%v, want the text %q", err, want)
	}
}

// The short way gives what the long one does: every port is asked.
func TestAnyPortIsEveryPort(t *testing.T) {
	for _, rules := range []string{"", "allow 10.0.0.0/8:7-9", "deny *:1-100, allow 10.0.0.1:50", "deny *:2-65535, allow 10.0.0.1", "deny public:1-65535"} {
		p := of(t, lines(rules)...)
		for _, addr := range []string{"10.0.0.1", "8.8.8.8"} {
			target, want := netip.MustParseAddr(addr), false
			for port := 1; port <= 65535 && !want; port++ {
				want = p.CheckAddr(wire.ParseHost("a.example"), nil, netip.AddrPortFrom(target, uint16(port))) == nil
			}
			if got := p.CheckAddrAnyPort(wire.ParseHost("a.example"), nil, target) == nil; got != want {
				t.Errorf("%q at %s: allowed %v, want %v", rules, addr, got, want)
			}
		}
	}
	if !policy.IsFake(netip.MustParseAddr("172.29.3.4")) || policy.IsFake(netip.MustParseAddr("172.28.3.4")) {
		t.Error("the fake DNS's addresses are not told")
	}
}
