package resolver

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"

func TestReverse(t *testing.T) {
	for name, want := range map[string]string{
		"1.2.0.192.in-addr.arpa":    "192.0.2.1",
		"1.2.0.192.IN-ADDR.arpa.":   "192.0.2.1",
		six:                         "2001:db8::1",
		strings.ToUpper(six):        "2001:db8::1",
		"2.0.192.in-addr.arpa":      "",
		"0/25.2.0.192.in-addr.arpa": "",
		"01.2.0.192.in-addr.arpa":   "",
		"256.2.0.192.in-addr.arpa":  "",
		".in-addr.arpa":             "",
		"in-addr.arpa":              "",
		"ip6.arpa":                  "",
		six[2:]:                     "",
		"g" + six[1:]:               "",
		"10" + six[1:]:              "",
		"1.2.0.192.example":         "",
		"1.2.0.192in-addr.arpa":     "",
		"+" + six[1:]:               "",
	} {
		if addr, ok := Reverse(name); ok != (want != "") || ok && addr.String() != want {
			t.Errorf("%s: %s, %t", name, addr, ok)
		}
	}
}

// The names of an address come with their TTL, also behind an alias (RFC 2317), and are
// remembered. What has none is not found.
func TestNamesOfAddresses(t *testing.T) {
	s := serveZone(t, zone{
		"1.2.0.192.in-addr.arpa. PTR": {records: []string{"60 PTR A.example.", "60 PTR b.example."}},
		"2.2.0.192.in-addr.arpa. PTR": {records: []string{"60 CNAME 2.0-25.2.0.192.in-addr.arpa.", "2.0-25.2.0.192.in-addr.arpa. 30 PTR c.example."}},
		six + ". PTR":                 {records: []string{"60 PTR six.example."}},
		"3.2.0.192.in-addr.arpa. PTR": {soa: 20},
		"4.2.0.192.in-addr.arpa. PTR": {code: dnsmessage.RCodeServerFailure},
	})
	r := open(t, Config{Servers: []string{s.addr}})
	for _, test := range []struct{ name, want string }{
		{"1.2.0.192.in-addr.arpa", "a.example b.example"},
		{"2.2.0.192.in-addr.arpa", "c.example"},
		{six, "six.example"},
		{"1.0.0.127.in-addr.arpa", "localhost"},
		{strings.Repeat("0.", 31) + "0.ip6.arpa", ""},
		{"3.2.0.192.in-addr.arpa", ""},
		{"5.2.0.192.in-addr.arpa", ""},
	} {
		for range 2 {
			answer, err := r.Lookup(t.Context(), PTR, test.name)
			if strings.Join(answer.Names, " ") != test.want || (err != nil) != (test.want == "") || err != nil && !isNotFound(err) {
				t.Errorf("%s: %v, %v", test.name, answer, err)
			}
			if err == nil && (answer.TTL <= 0 || len(answer.Addrs) > 0) {
				t.Errorf("%s: %+v", test.name, answer)
			}
		}
	}
	if _, err := r.Lookup(t.Context(), PTR, "4.2.0.192.in-addr.arpa"); err == nil || isNotFound(err) {
		t.Errorf("a server that fails: %v", err)
	}
	if _, err := r.Lookup(t.Context(), PTR, "a.example"); err == nil || isNotFound(err) {
		t.Errorf("no address: %v", err)
	}
	seen := s.asked()
	slices.Sort(seen)
	if asked := len(slices.Compact(seen)); asked != 7 {
		t.Errorf("asked for %d names: %v", asked, seen)
	}
}

// The system's servers are asked likewise.
func TestSystemNamesOfAddresses(t *testing.T) {
	s := serveZone(t, zone{"1.2.0.192.in-addr.arpa. PTR": {records: []string{"60 PTR A.example."}}, "2.2.0.192.in-addr.arpa. PTR": {soa: 20}})
	own := system{func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.addr)
	}}
	f, err := own.lookup(t.Context(), question{PTR, "1.2.0.192.in-addr.arpa"})
	if err != nil || strings.Join(f.names, " ") != "a.example" || f.ttl >= 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := own.lookup(t.Context(), question{PTR, "2.2.0.192.in-addr.arpa"}); !isNotFound(err) {
		t.Errorf("%+v, %v", f, err)
	}
}

// An address with more names than anything needs has the first of them.
func TestNamesAreBounded(t *testing.T) {
	var records []string
	for i := range 3 * maxNames {
		records = append(records, "60 PTR "+strings.Repeat(string(rune('a'+i%26)), i/26+1)+".example.")
	}
	s := serveZone(t, zone{"1.2.0.192.in-addr.arpa. PTR": {records: records}})
	answer, err := open(t, Config{Servers: []string{s.addr}, MinTTL: time.Second}).Lookup(t.Context(), PTR, "1.2.0.192.in-addr.arpa")
	if err != nil || len(answer.Names) != maxNames {
		t.Errorf("%d names, %v", len(answer.Names), err)
	}
}
