package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ProxyConfig says whose headers are trusted. Header and Trusted must be set.
type ProxyConfig struct {
	Header       string         // names the user, such as X-Forwarded-User or Remote-User
	PolicyHeader string         // names the policy; empty: none does
	Trusted      []netip.Prefix // addresses of the proxies
}

// Proxy takes the word of a reverse proxy that has checked the user itself. The proxy
// must remove the headers from what clients send; from all but the trusted
// addresses they are refused.
type Proxy struct {
	config ProxyConfig
}

var _ Authenticator = (*Proxy)(nil)

// NewProxy returns an authenticator for the headers of trusted proxies.
func NewProxy(config ProxyConfig) (*Proxy, error) {
	for _, name := range []string{config.Header, config.PolicyHeader} {
		if name == "" && name == config.PolicyHeader && config.Header != "" {
			continue
		}
		if !headerName(name) {
			return nil, fmt.Errorf("%q is not a header name", name)
		}
	}
	if len(config.Trusted) == 0 {
		return nil, errors.New("the header of a proxy needs --trusted-proxies")
	}
	config.Trusted = slices.Clone(config.Trusted)
	return &Proxy{config: config}, nil
}

// headerName tells a token of RFC 9110, section 5.6.2.
func headerName(name string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(marks, r))
	}) < 0
}

// Authenticate takes the header if the connection comes from a trusted proxy.
func (p *Proxy) Authenticate(_ context.Context, credentials Credentials) (*Identity, error) {
	if !p.Presented(credentials) {
		return nil, unauthorized("no credentials: the server wants %s", p.Wants())
	}
	if !p.trusts(credentials.Peer.Addr()) {
		return nil, unauthorized("the header %s is taken only from a trusted proxy, and %s is none", p.config.Header, credentials.Peer.Addr())
	}
	name, err := p.value(credentials.Header, p.config.Header)
	if err != nil {
		return nil, err
	}
	if bad := badName(name); bad != "" {
		return nil, unauthorized("the header %s %s", p.config.Header, bad)
	}
	// Over plain HTTP the listener refuses folded headers. Over TLS it does not see them.
	if credentials.TLS != nil && strings.Contains(name, " ") {
		return nil, unauthorized("the header %s has a space, and over TLS that may be a folded line", p.config.Header)
	}
	identity := &Identity{Name: name, Method: MethodProxy}
	if p.config.PolicyHeader != "" {
		if identity.Policy, err = p.value(credentials.Header, p.config.PolicyHeader); err != nil {
			return nil, err
		}
		if bad := badName(identity.Policy); bad != "" && identity.Policy != "" {
			return nil, unauthorized("the header %s %s", p.config.PolicyHeader, bad)
		}
	}
	return identity, nil
}

// value returns a header that may be there once: a second one did not come from the proxy.
func (p *Proxy) value(header http.Header, name string) (string, error) {
	values := header.Values(name)
	if len(values) > 1 {
		return "", unauthorized("the header %s is there %d times: the proxy must replace what clients send", name, len(values))
	}
	if len(values) == 0 {
		return "", nil
	}
	return strings.TrimSpace(values[0]), nil
}

func (p *Proxy) trusts(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("") // prefixes know neither form
	return slices.ContainsFunc(p.config.Trusted, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// Presented implements Method.
func (p *Proxy) Presented(credentials Credentials) bool {
	return len(credentials.Header.Values(p.config.Header)) > 0
}

// Wants implements Method.
func (p *Proxy) Wants() string { return "the header " + p.config.Header + " of a trusted proxy" }
