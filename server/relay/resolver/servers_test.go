package resolver

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var testZone = zone{
	"both.example. A":      {records: []string{"60 A 192.0.2.1", "60 A 192.0.2.2"}},
	"both.example. AAAA":   {records: []string{"60 AAAA 2001:db8::1"}},
	"four.example. A":      {records: []string{"60 TXT x", "60 A 192.0.2.4"}},
	"four.example. AAAA":   {soa: 10},
	"none.example. A":      {soa: 10},
	"none.example. AAAA":   {},
	"alias.example. A":     {records: []string{"c.example. 60 A 192.0.2.7", "60 CNAME B.example.", "b.example. 60 CNAME c.example.", "evil.example. 60 A 203.0.113.66"}},
	"alias.example. AAAA":  {records: []string{"60 CNAME b.example."}, soa: 10},
	"loop.example. A":      {records: []string{"60 CNAME loop.example."}},
	"loop.example. AAAA":   {records: []string{"60 CNAME a.example.", "a.example. 60 CNAME loop.example."}},
	"stranger.example. A":  {records: []string{"evil.example. 60 A 203.0.113.66"}},
	"long.example. A":      {truncated: true, records: []string{"60 A 192.0.2.9"}},
	"half.example. A":      {records: []string{"60 A 192.0.2.5"}},
	"half.example. AAAA":   {code: dnsmessage.RCodeServerFailure},
	"bad.example. A":       {code: dnsmessage.RCodeServerFailure},
	"bad.example. AAAA":    {soa: 10},
	"forged.example. A":    {forge: 8, records: []string{"60 A 192.0.2.6"}},
	"refused.example. A":   {code: dnsmessage.RCodeRefused},
	"odd.example. A":       {code: 9},
	"formerr.example. A":   {code: dnsmessage.RCodeFormatError},
	"unknown.example. A":   {code: dnsmessage.RCodeNotImplemented},
	"_srv.b_c.example. A":  {records: []string{"60 A 192.0.2.8"}},
	"xn--mnchen-3ya.de. A": {records: []string{"60 A 192.0.2.10"}},
}

func TestServers(t *testing.T) {
	s := serveZone(t, testZone)
	for _, test := range []struct{ network, host, want string }{
		{"ip", "both.example", "2001:db8::1 192.0.2.1 192.0.2.2"},
		{"ip4", "BOTH.example.", "192.0.2.1 192.0.2.2"},
		{"ip6", "both.example", "2001:db8::1"},
		{"ip", "four.example", "192.0.2.4"},
		{"ip6", "four.example", "lookup four.example: no such host"},
		{"ip", "none.example", "lookup none.example: no such host"},
		{"ip", "missing.example", "lookup missing.example on SERVER: no such host"},
		{"ip4", "missing.example", "lookup missing.example on SERVER: no such host"},
		{"ip", "alias.example", "192.0.2.7"},
		{"ip", "loop.example", "lookup loop.example: no such host"},
		{"ip4", "stranger.example", "lookup stranger.example: no such host"},
		{"ip4", "long.example", "192.0.2.9"},
		{"ip", "half.example", "192.0.2.5"},
		{"ip", "bad.example", "lookup bad.example on SERVER: the server answers SERVFAIL"},
		{"ip4", "forged.example", "192.0.2.6"},
		{"ip4", "refused.example", "lookup refused.example on SERVER: the server answers REFUSED"},
		{"ip4", "formerr.example", "lookup formerr.example on SERVER: the server answers FORMERR"},
		{"ip4", "unknown.example", "lookup unknown.example on SERVER: the server answers NOTIMP"},
		{"ip4", "odd.example", "lookup odd.example on SERVER: the server answers code 9"},
		{"ip4", "_srv.b_c.example", "192.0.2.8"},
		{"ip4", "xn--mnchen-3ya.de", "192.0.2.10"},
		{"ip", strings.Repeat("a", 64) + ".example", "lookup " + strings.Repeat("a", 64) + ".example: no such host"},
		{"ip", strings.Repeat("a.", 127) + "bc", "lookup " + strings.Repeat("a.", 127) + "bc: no such host"},
		{"ip", "a..example", "lookup a..example: no such host"},
		{"ip6", "localhost", "::1"},
		{"ip", "x.LOCALHOST.", "::1 127.0.0.1"},
		{"ip4", "localhost", "127.0.0.1"},
		{"tcp", "both.example", `lookup both.example: network "tcp" is none of ip, ip4, ip6 and ptr`},
	} {
		t.Run(test.network+" "+test.host, func(t *testing.T) {
			r := open(t, Config{Servers: []string{s.addr}})
			answer, err := r.Lookup(t.Context(), test.network, test.host)
			got := texts(answer.Addrs)
			if err != nil {
				got = strings.ReplaceAll(err.Error(), s.addr, "SERVER")
				var dns *net.DNSError
				if !errors.As(err, &dns) || dns.IsNotFound != strings.HasSuffix(got, "no such host") {
					t.Errorf("%#v", err)
				}
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	seen := s.asked()
	for _, want := range []string{"udp long.example. A", "tcp long.example. A"} {
		if !slices.Contains(seen, want) {
			t.Errorf("%s was not asked", want)
		}
	}
	for _, never := range []string{"192.0.2.77", "localhost"} {
		if slices.ContainsFunc(seen, func(s string) bool { return strings.Contains(s, never) }) {
			t.Errorf("%s was asked for", never)
		}
	}
}

func TestServersInTheirOrder(t *testing.T) {
	// The first has no listener, the second cannot answer, the third can.
	gone, err := net.Dial("udp", "127.0.0.1:9") // holds its port, and takes nothing there but from that one
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	bad := serveZone(t, zone{"a.example. A": {code: dnsmessage.RCodeServerFailure}})
	good := serveZone(t, zone{"a.example. A": {records: []string{"60 A 192.0.2.1"}}})
	r := open(t, Config{Servers: []string{gone.LocalAddr().String(), bad.addr, good.addr}})
	answer, err := r.Lookup(t.Context(), "ip4", "a.example")
	if err != nil || texts(answer.Addrs) != "192.0.2.1" {
		t.Errorf("%v, %v", answer.Addrs, err)
	}
	// That a name does not exist is an answer: no other server is asked.
	if _, err := r.Lookup(t.Context(), "ip4", "b.example"); !isNotFound(err) {
		t.Errorf("%v", err)
	}
	if got := good.asked(); !slices.Equal(got, []string{"udp a.example. A"}) {
		t.Errorf("the last server was asked %q", got)
	}
}

// mute is a server that never answers.
type mute struct{}

func (mute) String() string { return "mute" }
func (mute) close()         {}
func (mute) ask(ctx context.Context, _ string, _ dnsmessage.Type) (found, error) {
	<-ctx.Done()
	return found{}, ctx.Err()
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, Config{})
		r.source = servers{mute{}, mute{}}
		began := time.Now()
		_, err := r.Lookup(t.Context(), "ip", "a.example")
		var dns *net.DNSError
		if !errors.As(err, &dns) || !dns.IsTimeout || dns.IsNotFound || err.Error() != "lookup a.example on mute: i/o timeout" {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != 4*attemptTimeout {
			t.Errorf("took %v", took)
		}
	})
}

// A real server that is silent: the sockets are let go with the context.
func TestSilentSocket(t *testing.T) {
	s := serveZone(t, zone{"a.example. A": {silent: true}})
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() {
		_, err := plain{mustParse(s.addr)}.ask(ctx, "a.example", dnsmessage.TypeA)
		done <- err
	}()
	cancel(errors.New("gone"))
	if err := <-done; err == nil {
		t.Error("an answer of a silent server")
	}
}

func TestParseServers(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.53":                    "192.0.2.53:53",
		"192.0.2.53:5353":               "192.0.2.53:5353",
		"2001:db8::53":                  "[2001:db8::53]:53",
		"[2001:db8::53]":                "[2001:db8::53]:53",
		"[2001:db8::53]:54":             "[2001:db8::53]:54",
		"https://dns.example/dns-query": "https://dns.example/dns-query",
		"":                              `"" is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH`,
		"dns.example":                   `"dns.example" is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH`,
		"192.0.2.53:0":                  `"192.0.2.53:0" is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH`,
		"http://dns.example/":           `"http://dns.example/" is no DNS server: want https://HOST/PATH for DNS over HTTPS`,
		"https://u:p@dns.example/":      `"https://u:p@dns.example/" is no DNS server: want https://HOST/PATH for DNS over HTTPS`,
		"https:///dns":                  `"https:///dns" is no DNS server: want https://HOST/PATH for DNS over HTTPS`,
		"udp://192.0.2.53":              `"udp://192.0.2.53" is no DNS server: want https://HOST/PATH for DNS over HTTPS`,
	} {
		list, err := parseServers([]string{text}, nil)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = list[0].String()
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
