package resolver

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func mustParse(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

// respond returns the zone's answer to the query for a name's IPv4 addresses.
func respond(t *testing.T, z zone, host string) []byte {
	t.Helper()
	query, err := pack(7, host, dnsmessage.TypeA)
	if err != nil {
		t.Fatal(err)
	}
	messages, _ := z.answer(t, query, true)
	return messages[len(messages)-1]
}

func TestTTL(t *testing.T) {
	z := zone{
		"least. A":    {records: []string{"60 A 192.0.2.1", "20 A 192.0.2.2", "40 A 192.0.2.3"}},
		"alias. A":    {records: []string{"10 CNAME b.", "b. 60 A 192.0.2.1"}},
		"long. A":     {records: []string{"300 CNAME b.", "b. 60 A 192.0.2.1"}},
		"negative. A": {soa: 17},
		"capped. A":   {soa: 7200},
		"unsaid. A":   {},
		"highest. A":  {records: []string{"4294967295 A 192.0.2.1"}},
	}
	for host, want := range map[string]time.Duration{
		"least": 20 * time.Second, "alias": 10 * time.Second, "long": time.Minute, "negative": 17 * time.Second, "capped": time.Hour, "unsaid": 0, "highest": 0,
	} {
		f, err := unpack(respond(t, z, host), 7, host, dnsmessage.TypeA)
		if err != nil || f.ttl != want {
			t.Errorf("%s: %v, %v; want %v", host, f.ttl, err, want)
		}
	}
}

func TestChainIsBounded(t *testing.T) {
	var r records
	r.aliases, r.found = map[string]alias{}, map[string]found{}
	name := func(i int) string { return string(rune('a' + i)) }
	for i := range maxChain {
		r.aliases[name(i)] = alias{name(i + 1), time.Minute}
	}
	r.found[name(maxChain-1)] = found{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, ttl: time.Minute}
	if f := r.follow("a"); len(f.addrs) != 1 {
		t.Errorf("%d aliases are not followed", maxChain-1)
	}
	r.found = map[string]found{name(maxChain): r.found[name(maxChain-1)]}
	if f := r.follow("a"); len(f.addrs) != 0 {
		t.Errorf("%d aliases are followed", maxChain)
	}
}

// Every prefix of a good answer is either strange or broken, and never an answer.
func TestCutAnswers(t *testing.T) {
	message := respond(t, testZone, "alias.example")
	whole, err := unpack(message, 7, "alias.example", dnsmessage.TypeA)
	if err != nil || texts(whole.addrs) != "192.0.2.7" {
		t.Fatalf("%v, %v", whole, err)
	}
	for i := range message {
		if f, err := unpack(message[:i], 7, "alias.example", dnsmessage.TypeA); err == nil {
			t.Errorf("%d of %d bytes give %v", i, len(message), f)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var t testing.T
	for _, host := range []string{"both.example", "alias.example", "loop.example", "none.example", "missing.example", "long.example", "bad.example"} {
		f.Add(respond(&t, testZone, host))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
			got, err := unpack(message, 7, "alias.example", kind)
			if err != nil && len(got.addrs) > 0 {
				t.Fatalf("addresses %v beside %v", got.addrs, err)
			}
			for _, addr := range got.addrs {
				if addr.Is4() != (kind == dnsmessage.TypeA) {
					t.Fatalf("%v for %v", addr, kind)
				}
			}
			if got.ttl < 0 {
				t.Fatalf("ttl %v", got.ttl)
			}
		}
	})
}
