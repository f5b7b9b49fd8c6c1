package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// policyOf makes a policy of lines "allow TARGET" and "deny TARGET".
func policyOf(t *testing.T, lines ...string) *Policy {
	t.Helper()
	var list []Rule
	for _, line := range lines {
		verdict, target, _ := strings.Cut(line, " ")
		r, err := ParseRule(verdict == "allow", target)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return New(list)
}

func TestTrace(t *testing.T) {
	p := policyOf(t, "deny udp://*", "deny *:25", "allow 10.1.0.0/16:5432", "allow public:443", "allow other.example", "allow *.example", "allow db.example:5432")
	for _, test := range []struct{ host, addr, want string }{
		{"db.example", "10.2.0.1:5432", `
deny udp://*: is about udp
deny *:25: is about other ports than 5432
allow 10.1.0.0/16:5432: 10.2.0.1 is outside
allow public:443: is about other ports than 5432
allow other.example: is about other names
allow *.example: a pattern leads to public addresses only, and 10.2.0.1 is not: private, RFC 1918
allow db.example:5432: matches
true: db.example:5432 at 10.2.0.1 is allowed by the rule "allow db.example:5432"`},
		{"mail.example", "8.8.8.8:25", `
deny udp://*: is about udp
deny *:25: matches
false: mail.example:25 at 8.8.8.8 is denied by the rule "deny *:25"`},
		{"169.254.169.254", "169.254.169.254:443", `
deny udp://*: is about udp
deny *:25: is about other ports than 443
allow 10.1.0.0/16:5432: is about other ports than 443
allow public:443: 169.254.169.254 is not public: cloud metadata
allow other.example: is about other names
allow *.example: is about other names
allow db.example:5432: is about other ports than 443
false: 169.254.169.254:443 is denied: the address is not public (cloud metadata) and no rule allows it`},
		{"::ffff:8.8.8.8", "[::ffff:8.8.8.8]:443", `
false: [::ffff:8.8.8.8]:443 is denied: an IPv4-mapped IPv6 address; use the IPv4 address`},
	} {
		addr := netip.MustParseAddrPort(test.addr)
		steps, allowed, verdict := p.Trace(wire.ParseHost(test.host), nil, addr)
		var b strings.Builder
		for i, s := range steps {
			fmt.Fprintf(&b, "\n%s: %s", s.Rule, s.Why)
			if s.Decides != (s.Why == matches) || s.Decides && i != len(steps)-1 {
				t.Errorf("%s: step %+v", test.host, s)
			}
		}
		fmt.Fprintf(&b, "\n%t: %s", allowed, verdict)
		if b.String() != test.want {
			t.Errorf("got %s\nwant %s", b.String(), test.want)
		}
		if allowed != (p.CheckAddr(wire.ParseHost(test.host), nil, addr) == nil) || verdict != p.Explain(wire.ParseHost(test.host), nil, addr) {
			t.Errorf("%s: the trace and the decision differ", test.host)
		}
	}
}

func TestProtocols(t *testing.T) {
	p := policyOf(t, "deny udp://192.0.43.8", "allow tcp://10.0.0.1:53", "allow udp://10.0.0.2:53", "allow 10.0.0.3")
	if n := len(p.Rules()); n != 4 {
		t.Errorf("%d rules", n)
	}
	for _, test := range []struct {
		addr     string
		tcp, udp bool
	}{{"192.0.43.8:53", true, false}, {"10.0.0.1:53", true, false}, {"10.0.0.2:53", false, true}, {"10.0.0.3:53", true, true}, {"192.0.43.9:53", true, true}} {
		addr := netip.MustParseAddrPort(test.addr)
		host := addr.Addr().String()
		tcp, udp := p.CheckAddr(wire.ParseHost(host), nil, addr) == nil, p.For(UDP).CheckAddr(wire.ParseHost(host), nil, addr) == nil
		if tcp != test.tcp || udp != test.udp || (p.For(UDP).For(TCP).CheckHost(wire.ParseHost(host), 53) == nil) != test.tcp {
			t.Errorf("%s: tcp %t, udp %t", addr, tcp, udp)
		}
	}
	for _, text := range []string{"http://a.example", "tcp:/a.example", "udp://", "TCP://a.example"} {
		if r, err := ParseRule(true, text); err == nil {
			t.Errorf("%q is taken as %+v", text, r)
		}
	}
}
