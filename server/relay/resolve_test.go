package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestInterleave(t *testing.T) {
	for _, test := range []struct{ give, want string }{
		{"", ""},
		{"192.0.2.1", "192.0.2.1"},
		{"2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1", "2001:db8::1 192.0.2.1 2001:db8::2 2001:db8::3"},
		{"192.0.2.1 192.0.2.2 2001:db8::1 2001:db8::2", "192.0.2.1 2001:db8::1 192.0.2.2 2001:db8::2"},
		{"192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3", "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3"},
	} {
		var give []netip.Addr
		for text := range strings.FieldsSeq(test.give) {
			give = append(give, netip.MustParseAddr(text))
		}
		var got []string
		for _, addr := range interleave(give) {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s; want %s", test.give, got, test.want)
		}
	}
}

func TestResolve(t *testing.T) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("8.8.8.%d", i)
	}
	for _, test := range []struct {
		name    string
		host    string
		family  uint8
		answers []string
		want    string // addresses, or the error
	}{
		{"literal", "8.8.8.8", 0, nil, "8.8.8.8:443"},
		{"literal of the family", "2003::1", 6, nil, "[2003::1]:443"},
		{"literal of the other family", "2003::1", 4, nil, "address_not_available: 2003::1 is no IPv4 address"},
		{"both families", "x.example", 0, []string{"2003::1", "2003::2", "8.8.8.8"}, "[2003::1]:443 8.8.8.8:443 [2003::2]:443"},
		{"IPv4 only", "x.example", 4, []string{"2003::1", "8.8.8.8"}, "8.8.8.8:443"},
		{"IPv6 only, none", "x.example", 6, []string{"::ffff:8.8.8.8"}, "name_not_found: x.example has no IPv6 address"},
		{"nothing", "x.example", 0, nil, "name_not_found: x.example has no address"},
		{"mapped and twice", "x.example", 0, []string{"::ffff:8.8.8.8", "8.8.8.8", "8.8.4.4"}, "8.8.8.8:443 8.8.4.4:443"},
		{"denied ones are left out", "x.example", 0, []string{"127.0.0.1", "8.8.8.8", "10.0.0.1"}, "8.8.8.8:443"},
		{"all denied", "x.example", 0, []string{"127.0.0.1", "10.0.0.1"}, "denied: x.example:443 at 127.0.0.1 is denied: the address is not public (loopback) and no rule allows it"},
		{"too many", "x.example", 0, many, strings.Join(many[:maxAddresses], ":443 ") + ":443"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := New(Config{Policy: policy.New(nil), Resolver: answers(test.answers...)})
			targets, _, err := r.on(r.defaults).resolve(t.Context(), wire.Request{Kind: wire.TCP, Host: wire.ParseHost(test.host), Port: 443, Family: test.family})
			var got []string
			for _, target := range targets {
				got = append(got, target.String())
			}
			if err != nil {
				got = append(got, err.Error())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestLookupAsksForTheFamily(t *testing.T) {
	var asked []string
	r := New(Config{Policy: policy.New(nil), Resolver: lookup(func(_ context.Context, network, host string) ([]netip.Addr, error) {
		asked = append(asked, network+" "+host)
		return []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2003::1")}, nil
	})})
	for _, family := range []uint8{0, 4, 6} {
		if _, _, err := r.on(r.defaults).resolve(t.Context(), wire.Request{Host: wire.ParseHost("x.example."), Port: 1, Family: family}); err != nil {
			t.Error(err)
		}
	}
	if want := []string{"ip x.example.", "ip4 x.example.", "ip6 x.example."}; !slices.Equal(asked, want) {
		t.Errorf("asked %q; want %q", asked, want)
	}
}

func TestNamesThatAreNeverAskedFor(t *testing.T) {
	r := New(Config{Policy: policy.New(nil), Resolver: lookup(func(_ context.Context, _, host string) ([]netip.Addr, error) {
		if host != "onion" && host != "my-onion.example" {
			t.Errorf("%s was asked for", host)
		}
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	})})
	for host, want := range map[string]wire.Code{
		"nobody.onion": wire.NameNotFound, "A.B.Onion.": wire.NameNotFound, "x.invalid": wire.NameNotFound, "onion": wire.OK, "my-onion.example": wire.OK,
	} {
		if _, _, err := r.on(r.defaults).resolve(t.Context(), wire.Request{Host: wire.ParseHost(host), Port: 1}); codeOf(err) != want {
			t.Errorf("%s: %v; want %v", host, err, want)
		}
	}
}

func TestLookupErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "x.example", Server: "10.0.0.53:53", IsNotFound: true}, "x.example has no address"},
		{&net.AddrError{Err: "no suitable address", Addr: "x.example"}, "x.example has no address"},
		{&net.DNSError{Err: "server misbehaving", Name: "x.example", Server: "10.0.0.53:53", IsTemporary: true}, "resolving x.example: the resolver failed"},
		{&net.DNSError{Err: "i/o timeout", Name: "x.example", Server: "10.0.0.53:53", IsTimeout: true}, "resolving x.example: the resolver failed"},
	} {
		r := New(Config{Policy: policy.New(nil), Resolver: lookup(func(context.Context, string, string) ([]netip.Addr, error) { return nil, test.err })})
		_, _, err := r.on(r.defaults).resolve(t.Context(), wire.Request{Host: wire.ParseHost("x.example"), Port: 1})
		if textOf(err) != test.want {
			t.Errorf("%v: the page is told %q; want %q", test.err, textOf(err), test.want)
		}
		if !strings.Contains(err.Error(), test.err.Error()) {
			t.Errorf("the log is told %q; want %q in it", err, test.err)
		}
	}
}
