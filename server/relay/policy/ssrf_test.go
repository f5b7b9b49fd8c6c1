package policy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// inside are IPv4 addresses that a page must not reach with the default policy, whatever
// they are written like.
var inside = []string{"127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "100.100.100.200"}

// spellings are the ways in which parsers of this world write or accept an IPv4 address as a host.
func spellings(text string) []string {
	a := netip.MustParseAddr(text).As4()
	n := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	hi, lo := n>>16, n&0xffff
	wide := func(s string) string { // digits and dots that IDNA maps to ASCII
		return strings.NewReplacer("0", "０", "1", "１", "2", "２", ".", "。").Replace(s)
	}
	return []string{
		text,
		text + ".",
		fmt.Sprint(n),
		fmt.Sprintf("0x%x", n),
		fmt.Sprintf("0X%08X", n),
		fmt.Sprintf("0%o", n),
		fmt.Sprintf("%d.%d", a[0], n&0xffffff),
		fmt.Sprintf("%d.%d.%d", a[0], a[1], lo),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", a[0], a[1], a[2], a[3]),
		fmt.Sprintf("0%o.0%o.0%o.0%o", a[0], a[1], a[2], a[3]),
		fmt.Sprintf("%03d.%03d.%03d.%03d", a[0], a[1], a[2], a[3]),
		fmt.Sprintf("%d.0x%x.0%o.%d", a[0], a[1], a[2], a[3]),
		fmt.Sprintf("%d.%d.%d.%d", int(a[0])+256, a[1], a[2], a[3]),
		wide(text),
		"[" + text + "]",
		text + ":80",
		text + "/",
		"user@" + text,
		text + "#.example.org",
		text + "%00.example.org",
		text + "\x00.example.org",
		" " + text,
		"::" + text,
		"::ffff:" + text,
		fmt.Sprintf("::ffff:%x:%x", hi, lo),
		fmt.Sprintf("0:0:0:0:0:ffff:%x:%x", hi, lo),
		fmt.Sprintf("::ffff:0:%x:%x", hi, lo),
		fmt.Sprintf("64:ff9b::%x:%x", hi, lo),
		fmt.Sprintf("64:ff9b:1::%x:%x", hi, lo),
		fmt.Sprintf("2002:%x:%x::1", hi, lo),
		fmt.Sprintf("2001:0:%x:%x:0:0:%x:%x", hi, lo, ^hi&0xffff, ^lo&0xffff),
		"[::ffff:" + text + "]",
	}
}

// more are forms that do not stand for an IPv4 address: IPv6 of its own, zones, ranges
// that is not routed.
var more = []string{
	"::", "::1", "0:0:0:0:0:0:0:1", "0000:0000:0000:0000:0000:0000:0000:0001", "::1%lo", "::1%25lo", "[::1]", "[::]", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "fc00::1", "fd00::1",
	"fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:100::100:200", "fd00:a9fe:a9fe::1", "fe80::a9fe:a9fe", "ff02::1", "ff05::2", "100::1", "2001:db8::1", "2001:2::1", "2001:10::1", "3fff::1", "5f00::1", "4000::1",
	"127.255.255.254", "127.1.1.1", "10.255.255.255", "172.31.255.255", "192.168.255.255", "169.254.170.2", "169.254.170.23", "169.254.42.42", "169.254.0.23", "169.254.0.1", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1",
	"198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0", "0x0", "00", "127.1", "0.1.2.3", "1.2.3.4.5", "①②⑦.⓪.⓪.①", "127.0.0.1\n", "",
}

// TestSSRF tries every form under the default policy: none is allowed, neither as the
// host of a request nor as the address of a name.
func TestSSRF(t *testing.T) {
	forms := slices.Clone(more)
	for _, addr := range inside {
		forms = append(forms, spellings(addr)...)
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	if len(forms) < 150 {
		t.Errorf("only %d forms", len(forms))
	}
	p := policy.New(nil)
	answers := make(map[wire.Code]int)
	for _, host := range forms {
		code := codeOf(t, p.CheckHost(wire.ParseHost(host), 80))
		if addr, err := netip.ParseAddr(host); err == nil {
			// A literal, or what a name resolves to: the address that is dialed decides.
			target := netip.AddrPortFrom(addr, 80)
			for _, asked := range []string{host, "rebind.example.org"} {
				if got := codeOf(t, p.CheckAddr(wire.ParseHost(asked), nil, target)); got != wire.Denied {
					t.Errorf("%q for %q: %v, want denied", host, asked, got)
				} else if code == wire.OK {
					code = got
				}
			}
		}
		if code != wire.Denied && code != wire.InvalidRequest {
			t.Errorf("%q: %v, want denied or invalid_request", host, code)
		}
		answers[code]++
	}
	t.Logf("%d forms: %d denied, %d invalid_request", len(forms), answers[wire.Denied], answers[wire.InvalidRequest])
}
