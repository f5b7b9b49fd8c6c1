package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestParseRuleAccepts(t *testing.T) {
	for _, text := range []string{
		"example.org", "example.org:443", "EXAMPLE.org.:1-65535", "*.example.org:*", "*", "*:80", "*:*", "public", "Public:443", "localhost:5432",
		"_svc.example.org", "xn--bcher-kva.example", "10.0.0.1", "10.0.0.1:22", "10.0.0.0/8", "10.0.0.0/8:8000-8100", "0.0.0.0/0",
		"[::1]", "[::1]:80", "[fd00::]/8", "[fd00::]/8:80", "[fd00::/8]", "[fd00::/8]:80-81", "fd00::/8", "::1", "2001:db8::7",
	} {
		if _, err := policy.ParseRule(true, text); err != nil {
			t.Errorf("%q: %v; want nil", text, err)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for _, test := range []struct{ text, says string }{
		{"", "want HOST"},
		{":80", "want HOST"},
		{"example.org:", "port"},
		{"example.org:0", "port"},
		{"example.org:65536", "port"},
		{"example.org:99999999999999999999", "port"},
		{"example.org:+80", "port"},
		{"example.org:http", "port"},
		{"example.org:90-80", "port"},
		{"example.org:80-", "port"},
		{"example.org:-80", "port"},
		{"example.org:80-90-95", "port"},
		{"example.org:80 ", "port"},
		{" example.org", "characters"},
		{"http://example.org", "port"},
		{"example.org/24", "network"},
		{"*.", "want HOST"},
		{"*.*.example.org", "characters"},
		{"a.*.example.org", "characters"},
		{"*example.org", "characters"},
		{"a..b", "label"},
		{"-a.example", "begins or ends"},
		{"bücher.example", "punycode"},
		{"127.1", "ends in a number"},
		{"0x7f000001", "ends in a number"},
		{"0177.0.0.1", "ends in a number"},
		{"10.0.0.0/33", "network"},
		{"10.0.0.0/", "network"},
		{"10.0.0.1/8", "did you mean 10.0.0.0/8"},
		{"010.0.0.0/8", "network"},
		{"fd00::1/8", "did you mean fd00::/8"},
		{"::ffff:10.0.0.0/104", "IPv4-mapped"},
		{"::ffff:10.0.0.1", "IPv4-mapped"},
		{"fe80::1%eth0", "zone"},
		{"[::1", "want HOST"},
		{"[::1]80", "want HOST"},
		{"[::1]:", "port"},
		{"[10.0.0.1]:80", "want HOST"},
		{"[example.org]:80", "want HOST"},
		{"[]", "want HOST"},
		{"[fd00::]/8/9", "network"},
		{strings.Repeat("a", 64) + ".example", "label of 64"},
		{strings.Repeat("a.", 126) + "ab", "254 bytes"},
	} {
		rule, err := policy.ParseRule(true, test.text)
		if err == nil {
			t.Errorf("%q gave %v; want an error", test.text, rule)
		} else if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v; want %q in it", test.text, err, test.says)
		}
	}
}

// FuzzParseRule checks that no text panics, and that no rule about names lets a page
// reach what only an address rule may open.
func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{"example.org:443", "*.example.org", "*", "public:1-2", "10.0.0.0/8:80", "[fd00::]/8:*", "[::1/128]", "fd00::/8", "[", "]:1", "::/0"} {
		f.Add(seed)
	}
	metadata := netip.MustParseAddrPort("169.254.169.254:80")
	mapped := netip.MustParseAddrPort("[::ffff:10.0.0.1]:80")
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := policy.ParseRule(true, text)
		if err != nil {
			return
		}
		again, err := policy.ParseRule(true, strings.TrimPrefix(rule.String(), "allow "))
		if err != nil || again != rule {
			t.Fatalf("%q: parsed again it is %v, %v", text, again, err)
		}
		p := policy.New([]policy.Rule{rule})
		if !strings.Contains(text, "/") && !strings.Contains(text, "169.254.169.254") && p.CheckAddr(wire.ParseHost("a.example.org"), nil, metadata) == nil {
			t.Fatalf("%q reaches the metadata address", text)
		}
		if p.CheckAddr(wire.ParseHost("a.example.org"), nil, mapped) == nil {
			t.Fatalf("%q reaches a mapped address", text)
		}
		denied, err := policy.ParseRule(false, text)
		if err != nil {
			t.Fatalf("%q parses only as allowed: %v", text, err)
		}
		if public := netip.MustParseAddrPort("8.8.8.8:53"); policy.New([]policy.Rule{denied, rule}).CheckAddr(wire.ParseHost("a.example.org"), nil, public) == nil &&
			policy.New([]policy.Rule{rule, mustDeny(t)}).CheckAddr(wire.ParseHost("a.example.org"), nil, public) == nil {
			t.Fatalf("%q allows what the same rule denies before it", text)
		}
	})
}

func mustDeny(t *testing.T) policy.Rule {
	rule, err := policy.ParseRule(false, "*")
	if err != nil {
		t.Fatal(err)
	}
	return rule
}
