package policy

import (
	"net/netip"
	"testing"
)

// A rule that is made is the one that its text describes.
func TestMadeRules(t *testing.T) {
	for _, rule := range []Rule{
		Allow(netip.MustParseAddrPort("127.0.0.1:80")), Allow(netip.MustParseAddrPort("[2001:db8::7]:443")), DenyAll(),
	} {
		want, err := ParseRule(rule.Allows(), rule.text)
		if err != nil || rule != want {
			t.Errorf("%s: %+v, %v; want %+v", rule, rule, err, want)
		}
	}
}
