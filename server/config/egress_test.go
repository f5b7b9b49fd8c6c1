package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEgress(t *testing.T) {
	c := mustLoad(t, []string{
		"--dns", "127.0.0.1", "--dns", "https://dns.example.org/dns-query", "--dns-min-ttl", "1m", "--dns-max-ttl", "1h",
		"--egress-proxy", "socks5://user:secret@127.0.0.1:1080", "--egress-source", "127.0.0.1", "--egress-source", "::1",
	}, nil)
	want := Egress{
		DNS: []string{"127.0.0.1", "https://dns.example.org/dns-query"}, DNSMinTTL: time.Minute, DNSMaxTTL: time.Hour,
		Proxy: "socks5://user:secret@127.0.0.1:1080", Source: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()},
	}
	if !reflect.DeepEqual(c.Egress, want) {
		t.Errorf("got %+v, want %+v", c.Egress, want)
	}
	if printed := c.Print(); strings.Contains(printed, "secret") || !strings.Contains(printed, "\negress-proxy: socks5://user:xxxxx@127.0.0.1:1080\n") {
		t.Errorf("printed\n%s", printed)
	}
}

func TestEgressErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"--dns ns.example.org", `--dns: "ns.example.org" is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH`},
		{"--dns-min-ttl 2h", `--dns-min-ttl: 2h is more than the 5m of --dns-max-ttl`},
		{"--egress-proxy ftp://127.0.0.1", `--egress-proxy: the proxy "ftp://127.0.0.1" is not a proxy URL: want http://, https:// or socks5://[USER:PASSWORD@]HOST[:PORT]`},
		{"--egress-proxy-credentials none", `--egress-proxy-credentials: there are credentials for a proxy, but there is no proxy`},
		{"--egress-proxy http://127.0.0.1:1 --egress-proxy-credentials none", `--egress-proxy: the proxy's credentials: open none: no such file or directory`},
		{"--egress-source 0.0.0.0", `--egress-source: the source address 0.0.0.0 cannot be connected from`},
		{"--egress-source here", `--egress-source: "here": want an IPv4 or IPv6 address`},
		{"--egress-interface none0", `--egress-interface: the interface "none0": route ip+net: no such network interface`},
	} {
		if _, err := Load(strings.Fields(test.args), nil); err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.args, err, test.want)
		}
	}
}
