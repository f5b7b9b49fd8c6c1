package sockmux

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/sockmux/sockmux/shared/wire"
)

// LookupHost asks the server for the addresses of a name, as (*net.Resolver).LookupHost does
// a name server. An address is returned as it is. Addresses that the server's policy allows
// at no port are left out.
//
// An error is a *net.DNSError. errors.Is and errors.As find in it what they find in the error of a
// dial, such as syscall.EACCES for a name that the policy denies.
func (d *Dialer) LookupHost(ctx context.Context, host string) ([]string, error) {
	addrs, err := d.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(addrs))
	for i, addr := range addrs {
		texts[i] = addr.String()
	}
	return texts, nil
}

// LookupNetIP is LookupHost for addresses of the network "ip", "ip4" or "ip6".
func (d *Dialer) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	families := map[string]uint8{"ip": 0, "ip4": 4, "ip6": 6}
	family, known := families[network]
	if !known {
		return nil, lookupError(host, net.UnknownNetworkError(network))
	}
	of := func(addr netip.Addr) bool { return family == 0 || addr.Is4() == (family == 4) }
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr = addr.Unmap(); !of(addr) {
			return nil, notFound(host)
		}
		return []netip.Addr{addr}, nil
	}
	if host == "" {
		return nil, notFound(host)
	}
	answer, err := d.resolve(ctx, host, family)
	if err != nil {
		return nil, lookupError(host, err)
	}
	var addrs []netip.Addr
	for _, addr := range answer.Addrs {
		if of(addr) {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 {
		return nil, notFound(host)
	}
	return addrs, nil
}

// LookupAddr asks the server for the names of an address, as (*net.Resolver).LookupAddr does
// a name server. A name ends with a dot. Errors are as those of LookupHost.
func (d *Dialer) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "unrecognized address", Name: addr}
	}
	answer, err := d.resolve(ctx, reverseName(ip.Unmap().WithZone("")), 0)
	if err != nil {
		return nil, lookupError(addr, err)
	}
	names := make([]string, 0, len(answer.Names))
	for _, name := range answer.Names {
		names = append(names, strings.TrimSuffix(name, ".")+".")
	}
	if len(names) == 0 {
		return nil, notFound(addr)
	}
	return names, nil
}

// resolve opens a stream that asks for a name. Its errors are as those of open.
func (d *Dialer) resolve(ctx context.Context, name string, family uint8) (wire.Addresses, error) {
	session, err := d.connected()
	if err != nil {
		return wire.Addresses{}, err
	}
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	if ctx.Err() != nil {
		return wire.Addresses{}, ended(ctx, nil)
	}
	answer, err := session.resolve(ctx, name, family)
	if err != nil && ctx.Err() != nil {
		return wire.Addresses{}, ended(ctx, session.status().Err)
	}
	return answer, causeOf(err, wire.ParseHost(name))
}

// lookupError returns the error of a lookup.
func lookupError(name string, err error) error {
	found := &net.DNSError{UnwrapErr: err, Err: err.Error(), Name: name}
	var inner *net.DNSError
	var timeout net.Error
	if errors.As(err, &inner) {
		found.IsNotFound, found.IsTemporary = inner.IsNotFound, inner.IsTemporary
	}
	if errors.As(err, &timeout) {
		found.IsTimeout = timeout.Timeout()
		found.IsTemporary = found.IsTemporary || timeout.Timeout()
	}
	return found
}

// notFound is the error for a name without such addresses.
func notFound(name string) error {
	return lookupError(name, causeOf(wire.NewError(wire.NameNotFound, ""), wire.ParseHost(name)))
}

// reverseName returns the name below which the names of an address stand (RFC 1035, section 3.5;
// RFC 3596, section 2.5).
func reverseName(addr netip.Addr) string {
	const digits = "0123456789abcdef"
	if addr.Is4() {
		b := addr.As4()
		b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
		return netip.AddrFrom4(b).String() + ".in-addr.arpa"
	}
	b := addr.As16()
	var name strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		for _, digit := range []byte{b[i] & 0xf, b[i] >> 4} {
			_ = name.WriteByte(digits[digit]) // never fails
			_ = name.WriteByte('.')
		}
	}
	return name.String() + "ip6.arpa"
}
