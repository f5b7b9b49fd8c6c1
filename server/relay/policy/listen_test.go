package policy

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func listenRules(t *testing.T, texts ...string) (rules ListenRules) {
	t.Helper()
	for _, text := range texts {
		rule, err := ParseListenRule(text)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestListenRules(t *testing.T) {
	for _, c := range []struct {
		rules, asked string
		family       uint8
		want         string // ADDRESS FIRST LAST; empty: denied
	}{
		{"", "127.0.0.1:8080", 0, ""},
		{"127.0.0.1:8080", "127.0.0.1:8080", 0, "127.0.0.1 8080 8080"},
		{"127.0.0.1:8080", "127.0.0.1:8081", 0, ""},
		{"127.0.0.1:8080", "127.0.0.2:8080", 0, ""},
		{"127.0.0.1:8000-8999", "127.0.0.1:0", 0, "127.0.0.1 8000 8999"},
		{"127.0.0.1:8000-8999", "0.0.0.0:8500", 0, "127.0.0.1 8500 8500"},
		{"127.0.0.1:8000-8999", "[::]:8500", 0, "127.0.0.1 8500 8500"},
		{"127.0.0.1:8000-8999", "[::]:8500", 6, ""},
		{"[::1]:8000-8999", "0.0.0.0:8500", 0, ""},
		{"[::1]:8000-8999", "[::]:8500", 4, ""},
		{"[::1]:8000-8999", "[::]:8500", 0, "::1 8500 8500"},
		{"127.0.0.1:80 [::1]:81", "[::]:81", 0, "::1 81 81"},
		{"*:8080", "0.0.0.0:8080", 0, "0.0.0.0 8080 8080"},
		{"*:8080", "192.0.2.1:8080", 0, "192.0.2.1 8080 8080"},
		{"127.0.0.1:*", "0.0.0.0:0", 0, "127.0.0.1 0 0"},
		{"udp://127.0.0.1:*", "127.0.0.1:80", 0, ""},
		{"tcp://127.0.0.1:*", "127.0.0.1:80", 0, "127.0.0.1 80 80"},
	} {
		asked := netip.MustParseAddrPort(c.asked)
		got, err := listenRules(t, strings.Fields(c.rules)...).Find(TCP, asked.Addr(), asked.Port(), c.family)
		if c.want == "" {
			if !errors.Is(err, wire.NewError(wire.Denied, "")) || !strings.Contains(err.Error(), c.asked) {
				t.Errorf("%q allows %s: %+v, %v", c.rules, c.asked, got, err)
			}
			continue
		}
		fields := strings.Fields(c.want)
		first, _ := parsePorts(fields[1])
		last, _ := parsePorts(fields[2])
		if want := (Place{netip.MustParseAddr(fields[0]), first.first, last.first}); err != nil || got != want {
			t.Errorf("%q for %s: %+v, %v, want %s", c.rules, c.asked, got, err, c.want)
		}
	}
}

func TestListenRulesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "8080", "127.0.0.1", "localhost:80", "127.0.0.1:0", "127.0.0.1:9-8", "127.0.0.1:70000", "0.0.0.0:80", "[::]:80",
		"[127.0.0.1]:80", "::1:80", "[fe80::1%1]:80", "224.0.0.1:80", "[::ffff:1.2.3.4]:80", "icmp://127.0.0.1:80", "10.0.0.0/8:80",
	} {
		if rule, err := ParseListenRule(text); err == nil {
			t.Errorf("%q is read as %+v", text, rule)
		}
	}
	if rule, err := ParseListenRule("udp://[::1]:53"); err != nil || rule.String() != "udp://[::1]:53" || rule.only != UDP {
		t.Errorf("%+v, %v", rule, err)
	}
}
