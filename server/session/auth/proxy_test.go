package auth

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestProxy(t *testing.T) {
	proxy, err := NewProxy(ProxyConfig{
		Header: "X-Forwarded-User", PolicyHeader: "x-policy", Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fe80::/10")},
	})
	if err != nil {
		t.Fatal(err)
	}
	user := http.Header{"X-Forwarded-User": {" alice "}}
	for _, test := range []struct {
		name   string
		peer   string
		header http.Header
		want   string
	}{
		{"good", "10.1.2.3:4", user, "alice proxy "},
		{"mapped", "[::ffff:10.1.2.3]:4", user, "alice proxy "},
		{"with a zone", "[fe80::1%eth0]:4", user, "alice proxy "},
		{"with a policy", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"alice"}, "X-Policy": {"inside"}}, "alice proxy inside"},
		{"with an empty policy", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"alice"}, "X-Policy": {""}}, "alice proxy "},
		{"none", "10.1.2.3:4", nil, "unauthorized: no credentials: the server wants the header X-Forwarded-User of a trusted proxy"},
		{"from anybody", "203.0.113.9:4", user, "unauthorized: the header X-Forwarded-User is taken only from a trusted proxy, and 203.0.113.9 is none"},
		{"from nowhere", "", user, "unauthorized: the header X-Forwarded-User is taken only from a trusted proxy, and invalid IP is none"},
		{"twice", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"alice", "root"}}, "unauthorized: the header X-Forwarded-User is there 2 times: the proxy must replace what clients send"},
		{"empty", "10.1.2.3:4", http.Header{"X-Forwarded-User": {" "}}, "unauthorized: the header X-Forwarded-User is empty"},
		{"not printable", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"a\tb"}}, "unauthorized: the header X-Forwarded-User has characters that cannot be printed"},
		{"policy twice", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"alice"}, "X-Policy": {"a", "b"}}, "unauthorized: the header x-policy is there 2 times: the proxy must replace what clients send"},
		{"long policy", "10.1.2.3:4", http.Header{"X-Forwarded-User": {"alice"}, "X-Policy": {strings.Repeat("a", 257)}}, "unauthorized: the header x-policy has 257 bytes; at most 256 are taken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			credentials := Credentials{Header: test.header}
			if test.peer != "" {
				credentials.Peer = netip.MustParseAddrPort(test.peer)
			}
			identity, err := proxy.Authenticate(t.Context(), credentials)
			if err != nil {
				wantError(t, err, test.want)
				return
			}
			if got := identity.Name + " " + identity.Method + " " + identity.Policy; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestNewProxy(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, test := range []struct {
		config ProxyConfig
		want   string
	}{
		{ProxyConfig{Trusted: trusted}, `"" is not a header name`},
		{ProxyConfig{Header: "X User", Trusted: trusted}, `"X User" is not a header name`},
		{ProxyConfig{Header: "X-User", PolicyHeader: "a:b", Trusted: trusted}, `"a:b" is not a header name`},
		{ProxyConfig{Header: "X-User"}, "the header of a proxy needs --trusted-proxies"},
	} {
		if _, err := NewProxy(test.config); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
