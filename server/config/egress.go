package config

import (
	"errors"
	"net/netip"
	"net/url"
	"time"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/server/relay/resolver"
)

// Egress says how names are resolved and targets connected to.
type Egress struct {
	DNS                  []string // servers; empty: the system's resolver
	DNSMinTTL, DNSMaxTTL time.Duration
	Proxy                string // upstream; empty: none
	ProxyCredentials     string // file; empty: none
	Source               []netip.Addr
	Interface            string
}

// maxTTL is that of most zones' records at most (RFC 1912, 2.2).
const maxTTL = 7 * 24 * time.Hour

// egressOf binds the settings to e.
func egressOf(e *Egress) []setting {
	return []setting{
		{
			group: groupEgress, name: "dns", hint: "SERVER", repeatable: true,
			help:  "DNS server to ask: 192.0.2.53, [2001:db8::53]:5353, https://dns.example.org/dns-query. If one fails, the next is asked. If not set, the system's resolver is used.",
			parse: each(&e.DNS, func(text string) (string, error) { return text, nil }), print: all(&e.DNS, func(text string) string { return text }),
		},
		{
			group: groupEgress, name: "dns-min-ttl", hint: "TIME",
			help:  "Minimum time that a DNS answer is cached.",
			parse: duration(&e.DNSMinTTL, time.Second, maxTTL, ""), print: printed(&e.DNSMinTTL, brief),
		},
		{
			group: groupEgress, name: "dns-max-ttl", hint: "TIME",
			help:  "Maximum time that a DNS answer is cached.",
			parse: duration(&e.DNSMaxTTL, time.Second, maxTTL, ""), print: printed(&e.DNSMaxTTL, brief),
		},
		{
			group: groupEgress, name: "egress-proxy", hint: "URL",
			help:  "Proxy for connections to targets: http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT. The value environment uses HTTPS_PROXY, ALL_PROXY and NO_PROXY.",
			parse: text(&e.Proxy), print: printed(&e.Proxy, redacted),
		},
		{
			group: groupEgress, name: "egress-proxy-credentials", hint: "FILE",
			help:  "File with USER:PASSWORD for --egress-proxy.",
			parse: text(&e.ProxyCredentials), print: one(&e.ProxyCredentials),
		},
		{
			group: groupEgress, name: "egress-source", hint: "ADDRESS", repeatable: true,
			help:  "Local address for connections to targets, at most one for IPv4 and one for IPv6. If only one family is given, targets of the other are unreachable.",
			parse: each(&e.Source, sourceAddress), print: all(&e.Source, netip.Addr.String),
		},
		{
			group: groupEgress, name: "egress-interface", hint: "NAME",
			help:  "Network interface for connections to targets.",
			parse: text(&e.Interface), print: one(&e.Interface),
		},
	}
}

func sourceAddress(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, errors.New("want an IPv4 or IPv6 address")
	}
	return addr, nil
}

// redacted is a URL without its password.
func redacted(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(not shown)"
	}
	return u.Redacted()
}

// NewResolver makes the resolver, with so many lookups at once, 0 for the default. The caller
// closes it.
func (e *Egress) NewResolver(lookups int) (*resolver.Resolver, error) {
	return resolver.New(resolver.Config{Lookups: lookups, Servers: e.DNS, MinTTL: e.DNSMinTTL, MaxTTL: e.DNSMaxTTL})
}

// NewDialer makes the dialer.
func (e *Egress) NewDialer() (egress.Dialer, error) {
	return egress.New(egress.Config{Proxy: e.Proxy, CredentialsFile: e.ProxyCredentials, Source: e.Source, Interface: e.Interface})
}

// check makes what the settings describe, to see whether it can be made.
func (e *Egress) check(wrongly func(name, format string, values ...any)) {
	if e.DNSMinTTL > e.DNSMaxTTL {
		wrongly("dns-min-ttl", "%s is more than the %s of --dns-max-ttl", brief(e.DNSMinTTL), brief(e.DNSMaxTTL))
	} else if names, err := e.NewResolver(0); err != nil {
		wrongly("dns", "%v", err)
	} else {
		names.Close()
	}
	if _, err := e.NewDialer(); err != nil {
		wrongly(e.blamed(), "%v", err)
	}
}

// blamed is the setting that a dialer's error is most likely about.
func (e *Egress) blamed() string {
	switch _, err := egress.New(egress.Config{Source: e.Source, Interface: e.Interface}); {
	case err == nil && e.Proxy == "":
		return "egress-proxy-credentials"
	case err == nil:
		return "egress-proxy"
	case e.Interface != "":
		return "egress-interface"
	}
	return "egress-source"
}
