package policy_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// of makes a policy of lines such as "allow example.org:443".
func of(t testing.TB, lines ...string) *policy.Policy {
	t.Helper()
	var rules []policy.Rule
	for _, line := range lines {
		verb, text, _ := strings.Cut(line, " ")
		rule, err := policy.ParseRule(verb == "allow", text)
		if err != nil {
			t.Fatalf("ParseRule(%q): %v", line, err)
		}
		if rule.String() != line {
			t.Fatalf("rule %q prints as %q", line, rule)
		}
		rules = append(rules, rule)
	}
	return policy.New(rules)
}

// codeOf is wire.OK for nil and fails for what is no *wire.Error.
func codeOf(t testing.TB, err error) wire.Code {
	t.Helper()
	if err == nil {
		return wire.OK
	}
	var e *wire.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *wire.Error", err)
	}
	return e.Code
}

func TestDefaultDeniesWhatIsNotPublic(t *testing.T) {
	p := policy.New(nil)
	for _, test := range []struct{ addr, says string }{
		{"0.0.0.0", "unspecified"},
		{"0.1.2.3", "this network"},
		{"10.0.0.1", "private"},
		{"10.255.255.255", "private"},
		{"100.64.0.1", "carrier-grade"},
		{"100.127.255.255", "carrier-grade"},
		{"100.100.100.200", "cloud metadata"},
		{"127.0.0.1", "loopback"},
		{"127.255.255.254", "loopback"},
		{"168.63.129.16", "cloud metadata"},
		{"169.254.169.254", "cloud metadata"},
		{"169.254.170.2", "cloud metadata"},
		{"169.254.1.1", "link-local"},
		{"172.16.0.1", "private"},
		{"172.31.255.255", "private"},
		{"192.0.0.8", "protocol assignments"},
		{"192.0.0.192", "cloud metadata"},
		{"192.0.2.1", "documentation"},
		{"192.88.99.1", "6to4"},
		{"192.168.1.1", "private"},
		{"198.18.0.1", "benchmarking"},
		{"198.19.255.255", "benchmarking"},
		{"198.51.100.1", "documentation"},
		{"203.0.113.1", "documentation"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"},
		{"240.0.0.1", "reserved"},
		{"255.255.255.255", "broadcast"},
		{"::", "unspecified"},
		{"::1", "loopback"},
		{"::2", "IPv4-compatible"},
		{"::7f00:1", "IPv4-compatible"},
		{"::a9fe:a9fe", "IPv4-compatible"},
		{"::ffff:127.0.0.1", "IPv4-mapped"},
		{"::ffff:8.8.8.8", "IPv4-mapped"},
		{"::ffff:0:7f00:1", "not global unicast"},
		{"64:ff9b::7f00:1", "NAT64"},
		{"64:ff9b::808:808", "NAT64"},
		{"64:ff9b:1::a00:1", "NAT64"},
		{"100::1", "discard"},
		{"100:0:0:1::1", "not global unicast"},
		{"200::1", "not global unicast"},
		{"2001::1", "Teredo"},
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"},
		{"2001:2::1", "benchmarking"},
		{"2001:10::1", "ORCHID"},
		{"2001:20::1", "ORCHID"},
		{"2001:1ff::1", "protocol assignments"},
		{"2001:db8::1", "documentation"},
		{"2002:7f00:1::1", "6to4"},
		{"2002:808:808::1", "6to4"},
		{"3fff::1", "documentation"},
		{"4000::1", "not global unicast"},
		{"5f00::1", "segment routing"},
		{"fc00::1", "unique local"},
		{"fd12:3456::1", "unique local"},
		{"fd00:ec2::254", "cloud metadata"},
		{"fd20:ce::254", "cloud metadata"},
		{"fe80::1", "link-local"},
		{"fe80::1%lo", "link-local"},
		{"febf::1", "link-local"},
		{"fec0::1", "site-local"},
		{"ff02::1", "multicast"},
	} {
		target := netip.AddrPortFrom(netip.MustParseAddr(test.addr), 80)
		for _, host := range []string{test.addr, "rebind.example.org"} {
			err := p.CheckAddr(wire.ParseHost(host), nil, target)
			if got := codeOf(t, err); got != wire.Denied {
				t.Errorf("%s for %s: %v; want denied", test.addr, host, got)
			} else if !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), target.Addr().String()) || !strings.Contains(err.Error(), host) {
				t.Errorf("%s for %s: %v; want host, address and %q", test.addr, host, err, test.says)
			}
		}
	}
	if got := codeOf(t, p.CheckAddr(wire.ParseHost("x.example.org"), nil, netip.AddrPort{})); got != wire.Denied {
		t.Errorf("no address: %v; want denied", got)
	}
}

func TestDefaultAllowsPublic(t *testing.T) {
	p := policy.New(nil)
	for _, addr := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255",
		"172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.1", "223.255.255.255",
		"2000::1", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1",
	} {
		if err := p.CheckAddr(wire.ParseHost("example.org"), nil, netip.AddrPortFrom(netip.MustParseAddr(addr), 443)); err != nil {
			t.Errorf("%s: %v; want nil", addr, err)
		}
		if err := p.CheckHost(wire.ParseHost(addr), 443); err != nil {
			t.Errorf("literal %s: %v; want nil", addr, err)
		}
	}
}

func TestFakeAddress(t *testing.T) {
	addr := netip.MustParseAddrPort("172.29.1.2:80")
	for _, test := range []struct {
		rules []string
		host  string
		want  wire.Code
	}{
		{nil, "172.29.1.2", wire.FakeAddress},
		{nil, "db.example.org", wire.Denied},
		{[]string{"allow *"}, "172.29.1.2", wire.FakeAddress},
		{[]string{"deny 172.29.0.0/16"}, "172.29.1.2", wire.Denied},
		{[]string{"allow 172.16.0.0/12"}, "172.29.1.2", wire.OK},
		{[]string{"allow db.example.org"}, "db.example.org", wire.OK},
	} {
		if got := codeOf(t, of(t, test.rules...).CheckAddr(wire.ParseHost(test.host), nil, addr)); got != test.want {
			t.Errorf("%v, host %s: %v; want %v", test.rules, test.host, got, test.want)
		}
	}
	if got := codeOf(t, policy.New(nil).CheckHost(wire.ParseHost("172.29.1.2"), 80)); got != wire.FakeAddress {
		t.Errorf("early: %v; want fake_address", got)
	}
}

func TestRules(t *testing.T) {
	for _, test := range []struct {
		name  string
		rules []string
		host  string
		addr  string
		early wire.Code // CheckHost
		late  wire.Code // CheckAddr
	}{
		{"exact name to a private address", []string{"allow db.corp.example:5432"}, "DB.corp.example.", "10.1.2.3:5432", wire.OK, wire.OK},
		{"exact name, other port", []string{"allow db.corp.example:5432"}, "db.corp.example", "10.1.2.3:22", wire.OK, wire.Denied},
		{"exact name to loopback", []string{"allow localhost:5432"}, "localhost", "[::1]:5432", wire.OK, wire.OK},
		{"exact name to metadata", []string{"allow api.example.org"}, "api.example.org", "169.254.169.254:80", wire.OK, wire.Denied},
		{"exact name to private-looking metadata", []string{"allow api.example.org"}, "api.example.org", "[fd00:ec2::254]:80", wire.OK, wire.Denied},
		{"exact name to multicast", []string{"allow api.example.org"}, "api.example.org", "224.0.0.1:80", wire.OK, wire.Denied},
		{"other name with a private address", []string{"allow db.corp.example"}, "evil.example", "10.1.2.3:5432", wire.OK, wire.Denied},
		{"wildcard to a private address", []string{"allow *.example.org"}, "a.example.org", "10.0.0.1:80", wire.OK, wire.Denied},
		{"wildcard to a public address", []string{"allow *.example.org", "deny *"}, "a.b.example.org", "8.8.8.8:80", wire.OK, wire.OK},
		{"wildcard is not the name itself", []string{"allow *.example.org", "deny *"}, "example.org", "8.8.8.8:80", wire.Denied, wire.Denied},
		{"wildcard matches whole labels", []string{"allow *.example.org", "deny *"}, "badexample.org", "8.8.8.8:80", wire.Denied, wire.Denied},
		{"star to a private address", []string{"allow *"}, "a.example.org", "192.168.0.1:80", wire.OK, wire.Denied},
		{"star to a literal private address", []string{"allow *:*"}, "192.168.0.1", "192.168.0.1:80", wire.Denied, wire.Denied},
		{"network", []string{"allow 10.0.0.0/8:8000-8100"}, "10.9.9.9", "10.9.9.9:8100", wire.OK, wire.OK},
		{"network, beyond the range", []string{"allow 10.0.0.0/8:8000-8100"}, "10.9.9.9", "10.9.9.9:8101", wire.Denied, wire.Denied},
		{"network for a name", []string{"allow 10.0.0.0/8"}, "any.example.org", "10.9.9.9:1", wire.OK, wire.OK},
		{"everything IPv4", []string{"allow 0.0.0.0/0"}, "127.0.0.1", "127.0.0.1:1", wire.OK, wire.OK},
		{"IPv6 network", []string{"allow [fd00::]/8:80"}, "x.example", "[fd00::1]:80", wire.OK, wire.OK},
		{"metadata by address rule", []string{"allow 169.254.169.254"}, "169.254.169.254", "169.254.169.254:80", wire.OK, wire.OK},
		{"link-local with a zone", []string{"allow fe80::/10"}, "x.example", "[fe80::1%lo]:80", wire.OK, wire.OK},
		{"first match allows", []string{"allow 10.0.0.5", "deny 10.0.0.0/8"}, "10.0.0.5", "10.0.0.5:1", wire.OK, wire.OK},
		{"first match denies", []string{"deny 10.0.0.0/8", "allow 10.0.0.5"}, "10.0.0.5", "10.0.0.5:1", wire.Denied, wire.Denied},
		{"a name cannot leave a denied network", []string{"deny 10.0.0.0/8", "allow db.example"}, "db.example", "10.0.0.5:1", wire.OK, wire.Denied},
		{"a name before its network", []string{"allow db.example", "deny 10.0.0.0/8"}, "db.example", "10.0.0.5:1", wire.OK, wire.OK},
		{"denied name", []string{"deny bad.example:*"}, "bad.example", "8.8.8.8:1", wire.Denied, wire.Denied},
		{"denied port everywhere", []string{"deny *:25"}, "mail.example", "8.8.8.8:25", wire.Denied, wire.Denied},
		{"denied port, literal", []string{"deny *:25"}, "8.8.8.8", "8.8.8.8:25", wire.Denied, wire.Denied},
		{"other port than the denied", []string{"deny *:25"}, "mail.example", "8.8.8.8:587", wire.OK, wire.OK},
		{"an earlier network leaves a denied name open", []string{"allow 10.0.0.0/8", "deny *.example"}, "a.example", "10.0.0.1:1", wire.OK, wire.OK},
		{"closed list", []string{"allow a.example", "deny *"}, "b.example", "8.8.8.8:1", wire.Denied, wire.Denied},
		{"no public addresses", []string{"allow 10.0.0.0/8", "deny public"}, "b.example", "8.8.8.8:1", wire.OK, wire.Denied},
		{"public on one port only", []string{"allow public:443", "deny *"}, "b.example", "8.8.8.8:443", wire.OK, wire.OK},
		{"public on one port only, other", []string{"allow public:443", "deny *"}, "b.example", "8.8.8.8:80", wire.Denied, wire.Denied},
		{"public is not private", []string{"allow PUBLIC"}, "b.example", "10.0.0.1:80", wire.OK, wire.Denied},
		{"denied IPv4 by NAT64", []string{"deny 10.0.0.0/8", "allow ::/0"}, "b.example", "[64:ff9b::a00:1]:80", wire.OK, wire.Denied},
		{"denied IPv4 by 6to4", []string{"deny 10.0.0.0/8", "allow [::]/0"}, "2002:a00:1::1", "[2002:a00:1::1]:80", wire.Denied, wire.Denied},
		{"allowed IPv4 is not NAT64", []string{"allow 10.0.0.0/8"}, "b.example", "[64:ff9b::a00:1]:80", wire.OK, wire.Denied},
		{"mapped is reached by no rule", []string{"allow ::/0", "allow 0.0.0.0/0", "allow b.example"}, "b.example", "[::ffff:10.0.0.1]:80", wire.OK, wire.Denied},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := of(t, test.rules...)
			addr := netip.MustParseAddrPort(test.addr)
			if got := codeOf(t, p.CheckHost(wire.ParseHost(test.host), addr.Port())); got != test.early {
				t.Errorf("CheckHost(%s, %d): %v; want %v", test.host, addr.Port(), got, test.early)
			}
			err := p.CheckAddr(wire.ParseHost(test.host), nil, addr)
			if got := codeOf(t, err); got != test.late {
				t.Errorf("CheckAddr(%s, %s): %v; want %v", test.host, addr, got, test.late)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	p := of(t, "allow db.corp.example:5432", "deny *.bad.example")
	for _, test := range []struct{ host, addr, want string }{
		{"db.corp.example", "10.0.0.1:5432", `db.corp.example:5432 at 10.0.0.1 is allowed by the rule "allow db.corp.example:5432"`},
		{"x.bad.example", "8.8.8.8:80", `x.bad.example:80 at 8.8.8.8 is denied by the rule "deny *.bad.example"`},
		{"8.8.8.8", "8.8.8.8:80", `8.8.8.8:80 is allowed by the default "allow public"`},
		{"::1", "[::1]:80", `[::1]:80 is denied: the address is not public (loopback) and no rule allows it`},
		{"x.example", "10.0.0.1:80", `x.example:80 at 10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it`},
		{"::ffff:8.8.8.8", "[::ffff:8.8.8.8]:80", `[::ffff:8.8.8.8]:80 is denied: an IPv4-mapped IPv6 address; use the IPv4 address`},
		{"172.29.0.1", "172.29.0.1:80", `172.29.0.1:80 is an address of Emscripten's fake DNS, not the target's: the program looked the name up where the name is not known to the tunnel`},
	} {
		if got := p.Explain(wire.ParseHost(test.host), nil, netip.MustParseAddrPort(test.addr)); got != test.want {
			t.Errorf("Explain(%s, %s):\n got %s\nwant %s", test.host, test.addr, got, test.want)
		}
	}
}

func TestPolicyKeepsItsRules(t *testing.T) {
	first, err := policy.ParseRule(true, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	rules := []policy.Rule{first}
	p := policy.New(rules)
	rules[0] = policy.Rule{}
	p.Rules()[0] = policy.Rule{}
	if got := p.Rules()[0].String(); got != "allow 10.0.0.1" || !p.Rules()[0].Allows() {
		t.Errorf("rule is %q after its source has changed", got)
	}
}
