package policy_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestValidHost(t *testing.T) {
	for _, host := range []string{
		"example.org", "example.org.", "EXAMPLE.ORG", "localhost", "a", "1a", "3com.example", "1.2.3.4.example", "_dmarc.example.org", "xn--bcher-kva.example",
		"127.0.0.1", "8.8.8.8", "::1", "2001:db8::1", "::ffff:127.0.0.1", "0xg.example", "0x.example", "r3---sn.example",
		strings.Repeat("a", 63) + ".example", strings.Repeat("a.", 126) + "a",
	} {
		if err := policy.ValidHost(wire.ParseHost(host)); err != nil {
			t.Errorf("%q: %v; want nil", host, err)
		}
	}
}

func TestValidHostRefuses(t *testing.T) {
	for _, host := range []string{
		// What inet_aton reads as an address.
		"127.1", "127.0.1", "2130706433", "0x7f000001", "0X7F000001", "017700000001", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "127.0.0.0x1", "0", "0x", "00.0",
		"127.0.0.1.", "127.0.0.01", "256.0.0.1", "1.2.3.4.5", "999", "127.0.0.1.0x7f", "example.0x10", "example.1",
		// What some parser takes apart in another way.
		"", ".", "..", ".example", "a..b", "example.org..", "a b", "a\tb", "a\nb", "a\x00b", "a/b", "a\\b", "a:80", "user@host", "a%2eb", "a?b", "a#b", "a,b", "a;b", "[::1]", "[127.0.0.1]",
		"fe80::1%eth0", "::1%lo", "127.0.0.1:80", "*.example.org", "-a.example", "a-.example",
		// Not ASCII: also digits and dots that IDNA maps to ASCII.
		"bücher.example", "１２７.0.0.1", "127。0。0。1", "①②⑦.⓪.⓪.①", "a\xff",
		// Too long.
		strings.Repeat("a", 64), strings.Repeat("a.", 127), strings.Repeat("a.", 126) + "ab",
	} {
		if got := codeOf(t, policy.ValidHost(wire.ParseHost(host))); got != wire.InvalidRequest {
			t.Errorf("%q: %v; want invalid_request", host, got)
		}
		if got := codeOf(t, of(t, "allow *", "allow 0.0.0.0/0").CheckHost(wire.ParseHost(host), 80)); got != wire.InvalidRequest {
			t.Errorf("CheckHost(%q): %v; want invalid_request", host, got)
		}
	}
	if err := policy.ValidHost(wire.ParseHost("bücher.example")); !strings.Contains(err.Error(), "punycode") {
		t.Errorf("%v; want a word about punycode", err)
	}
	if err := policy.ValidHost(wire.ParseHost(strings.Repeat("x", 60000))); len(err.Error()) > 300 {
		t.Errorf("error of %d bytes for a long host", len(err.Error()))
	}
}

// FuzzCheckHost checks that what passes is an address that netip reads or a plain name,
// and that both spellings of a name fare alike.
func FuzzCheckHost(f *testing.F) {
	for _, seed := range []string{"example.org", "127.0.0.1", "127.1", "0x7f000001", "::1", "a.bad.example", "BAD.example.", "x%y", "10.0.0.1"} {
		f.Add(seed)
	}
	p := of(f, "deny bad.example", "deny *.bad.example")
	f.Fuzz(func(t *testing.T, host string) {
		err := p.CheckHost(wire.ParseHost(host), 80)
		upper := p.CheckHost(wire.ParseHost(strings.ToUpper(host)), 80)
		if codeOf(t, err) != codeOf(t, upper) && strings.ToLower(strings.ToUpper(host)) == host {
			t.Fatalf("%q: %v, in capitals: %v", host, err, upper)
		}
		if err != nil {
			return
		}
		if addr, notAddr := netip.ParseAddr(host); notAddr == nil {
			if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || addr.Is4In6() {
				t.Fatalf("%q passed", host)
			}
			return
		}
		name := strings.TrimSuffix(strings.ToLower(host), ".")
		last := name[strings.LastIndex(name, ".")+1:]
		if name == "bad.example" || strings.HasSuffix(name, ".bad.example") {
			t.Fatalf("%q passed", host)
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.Trim(last, "0123456789") == "" {
			t.Fatalf("%q passed", host)
		}
	})
}
