package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// How the servers are asked: each in its order, and all of them twice, because over UDP
// either message may be lost. With two servers that is eight seconds, within
// lookupTimeout.
const (
	rounds         = 2
	attemptTimeout = 2 * time.Second
)

// servers are DNS servers that know the same.
type servers []server

// parseServers reads what Config.Servers describes.
func parseServers(texts []string, transport http.RoundTripper) (servers, error) {
	var list servers
	for _, text := range texts {
		if strings.Contains(text, "://") {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
				return nil, fmt.Errorf("%q is no DNS server: want https://HOST/PATH for DNS over HTTPS", text)
			}
			list = append(list, newDoH(text, transport))
			continue
		}
		addr, err := netip.ParseAddrPort(text)
		if err != nil {
			var ip netip.Addr
			if ip, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")); err == nil {
				addr = netip.AddrPortFrom(ip, dnsPort)
			}
		}
		if err != nil || addr.Port() == 0 {
			return nil, fmt.Errorf("%q is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH", text)
		}
		list = append(list, plain{addr})
	}
	return list, nil
}

func (s servers) close() {
	for _, one := range s {
		one.close()
	}
}

// lookup asks for both kinds of address at once.
func (s servers) lookup(ctx context.Context, q question) (found, error) {
	if q.network == PTR {
		f, err := s.ask(ctx, q.host, dnsmessage.TypePTR)
		if err == nil && len(f.names) == 0 {
			err = notFound(q.host, "")
		}
		return f, err
	}
	kinds := []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA} // in the order that RFC 8305, section 4, prefers
	switch q.network {
	case "ip4":
		kinds = kinds[1:]
	case "ip6":
		kinds = kinds[:1]
	}
	results := make([]found, len(kinds))
	errs := make([]error, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		group.Go(func() { results[i], errs[i] = s.ask(ctx, q.host, kind) })
	}
	group.Wait()

	var all found
	var failed error
	var ttl, none shortest
	for i, result := range results {
		switch {
		case errs[i] != nil && !isNotFound(errs[i]):
			failed = errs[i]
		case len(result.addrs) == 0:
			none.take(result.ttl)
		default:
			all.addrs = append(all.addrs, result.addrs...)
			all.addAliases(result.aliases)
			ttl.take(result.ttl)
		}
	}
	switch {
	case failed != nil && len(all.addrs) > 0:
		all.ttl = failureTTL // better than nothing, and soon asked again
		return all, nil
	case failed != nil:
		return found{}, failed
	case len(all.addrs) == 0:
		return found{ttl: none.ttl}, cmp.Or(errs[0], error(notFound(q.host, "")))
	}
	all.ttl = ttl.ttl // that a name has none of one family is no reason to ask for the other again sooner
	return all, nil
}

// shortest is the least of some times.
type shortest struct {
	ttl   time.Duration
	taken bool
}

func (s *shortest) take(ttl time.Duration) {
	if !s.taken || ttl < s.ttl {
		s.ttl, s.taken = ttl, true
	}
}

// ask asks one server after the other for the records of one type. The error is a *net.DNSError.
func (s servers) ask(ctx context.Context, host string, kind dnsmessage.Type) (found, error) {
	if _, err := pack(0, host, kind); err != nil {
		return found{}, notFound(host, "") // a label or the name is too long: no such name can exist
	}
	var last error
	for range rounds {
		for _, one := range s {
			attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
			f, err := one.ask(attempt, host, kind)
			cancel()
			switch {
			case err == nil:
				return f, nil
			case errors.Is(err, errNoName):
				return f, notFound(host, one.String())
			case ctx.Err() != nil:
				if last == nil {
					last = failure(host, one, context.Cause(ctx))
				}
				return found{}, last
			}
			last = failure(host, one, err)
		}
	}
	return found{}, last
}

func failure(host string, from server, err error) *net.DNSError {
	var timeout interface{ Timeout() bool }
	late := errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
	text := err.Error()
	if late {
		text = "i/o timeout"
	}
	return &net.DNSError{UnwrapErr: err, Err: text, Name: host, Server: from.String(), IsTimeout: late, IsTemporary: true}
}
