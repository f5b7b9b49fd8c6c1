package policy

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// A rule that denies looks at aliases, one that allows does not. The first match decides.
func TestAliases(t *testing.T) {
	addr := netip.MustParseAddrPort("8.8.8.8:443")
	aliases := []string{"middle.example", "db.inside.example"}
	for _, test := range []struct {
		rules string
		want  string // of Explain
	}{
		{"", `host.example:443 at 8.8.8.8 is allowed by the default "allow public"`},
		{"deny *.inside.example", `host.example:443 at 8.8.8.8, an alias of db.inside.example, is denied by the rule "deny *.inside.example"`},
		{"deny middle.example", `host.example:443 at 8.8.8.8, an alias of middle.example, is denied by the rule "deny middle.example"`},
		{"deny host.example", `host.example:443 at 8.8.8.8 is denied by the rule "deny host.example"`},
		{"deny inside.example", `host.example:443 at 8.8.8.8 is allowed by the default "allow public"`},
		{"deny *.inside.example:80", `host.example:443 at 8.8.8.8 is allowed by the default "allow public"`},
		{"allow host.example; deny *.inside.example", `host.example:443 at 8.8.8.8 is allowed by the rule "allow host.example"`},
		{"allow db.inside.example; deny *", `host.example:443 at 8.8.8.8 is denied by the rule "deny *"`},
	} {
		var lines []string
		if test.rules != "" {
			lines = strings.Split(test.rules, "; ")
		}
		p := policyOf(t, lines...)
		if got := p.Explain(wire.ParseHost("host.example"), aliases, addr); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.rules, got, test.want)
		}
		if _, allowed, verdict := p.Trace(wire.ParseHost("host.example"), aliases, addr); verdict != test.want || allowed != (p.CheckAddr(wire.ParseHost("host.example"), aliases, addr) == nil) {
			t.Errorf("%s: the trace says %s", test.rules, verdict)
		}
	}
}

// The machine's own addresses are internal: exact rules reach them, patterns do not.
func TestOwn(t *testing.T) {
	own := netip.MustParseAddr("8.8.8.8")
	for rules, want := range map[string]bool{
		"": false, "allow public": false, "allow *": false, "allow *.example": false,
		"allow host.example": true, "allow 8.8.8.8": true, "allow 8.0.0.0/8": true,
	} {
		var lines []string
		if rules != "" {
			lines = []string{rules}
		}
		p := policyOf(t, lines...).WithOwn(func(addr netip.Addr) bool { return addr == own })
		for _, protocol := range []Protocol{TCP, UDP} {
			err := p.For(protocol).CheckAddr(wire.ParseHost("host.example"), nil, netip.AddrPortFrom(own, 80))
			if (err == nil) != want {
				t.Errorf("%q: %v, want allowed %t", rules, err, want)
			}
		}
		if err := p.CheckAddr(wire.ParseHost("host.example"), nil, netip.MustParseAddrPort("8.8.4.4:80")); err != nil {
			t.Errorf("%q: another address: %v", rules, err)
		}
	}
}

func TestMetadataReached(t *testing.T) {
	for rules, want := range map[string]string{
		"allow public; allow *; allow metadata.example": "",
		"allow 10.0.0.0/8":                        "",
		"allow 0.0.0.0/0":                         "allow 0.0.0.0/0 169.254.169.254",
		"deny 169.254.0.0/16; allow 0.0.0.0/0:80": "allow 0.0.0.0/0:80 168.63.129.16",
		"allow 168.63.129.16":                     "allow 168.63.129.16 168.63.129.16",
		"allow [fd00::]/8":                        "allow [fd00::]/8 fd00:ec2::",
		"allow [fd00:ec2::254]":                   "allow [fd00:ec2::254] fd00:ec2::254",
		"allow udp://169.254.0.0/16; allow tcp://100.64.0.0/10:443": "allow udp://169.254.0.0/16 169.254.169.254; allow tcp://100.64.0.0/10:443 100.100.100.200",
	} {
		var got []string
		for _, m := range policyOf(t, strings.Split(rules, "; ")...).Metadata() {
			got = append(got, m.Rule.String()+" "+m.Addr.String())
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%s:\ngot  %s\nwant %s", rules, strings.Join(got, "; "), want)
		}
	}
}
