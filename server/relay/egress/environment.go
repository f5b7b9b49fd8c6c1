package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/sockmux/sockmux/shared/wire"
)

// environment uses the proxy of the environment for all targets but those that NO_PROXY names.
type environment struct {
	direct *direct
	proxy  *proxy
	choose func(*url.URL) (*url.URL, error)
}

// newEnvironment reads HTTPS_PROXY, ALL_PROXY and NO_PROXY, each also in small letters,
// which count first. HTTP_PROXY is for plain HTTP requests, which are none of ours.
func newEnvironment(d *direct, config Config, getenv func(string) string) (Dialer, error) {
	first := func(names ...string) (name, value string) {
		for _, name := range names {
			if value := strings.TrimSpace(getenv(name)); value != "" {
				return name, value
			}
		}
		return "", ""
	}
	name, text := first("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
	if text == "" {
		return d, nil
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text // as all programs read it
	}
	u, err := parseProxy(text)
	if err != nil {
		return nil, fmt.Errorf("%s: the proxy %w", name, err)
	}
	p, err := newProxy(d, u, config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	_, exceptions := first("no_proxy", "NO_PROXY")
	rules := httpproxy.Config{HTTPSProxy: u.Redacted(), NoProxy: exceptions}
	return &environment{direct: d, proxy: p, choose: rules.ProxyFunc()}, nil
}

// DialContext goes around the proxy if NO_PROXY names the host or the address.
func (e *environment) DialContext(ctx context.Context, host wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (Conn, error) {
	return e.way(host, addr).DialContext(ctx, host, addr, check)
}

func (e *environment) way(host wire.Host, addr netip.AddrPort) Dialer {
	if e.excepted(addr.Addr().WithZone("").String(), addr.Port()) || host.Name() != "" && e.excepted(strings.TrimSuffix(host.Name(), "."), addr.Port()) {
		return e.direct
	}
	return e.proxy
}

func (e *environment) excepted(host string, port uint16) bool {
	through, err := e.choose(&url.URL{Scheme: "https", Host: net.JoinHostPort(host, strconv.Itoa(int(port)))})
	return err == nil && through == nil
}
