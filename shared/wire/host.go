package wire

import (
	"net/netip"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Host is what a request is about: a name or an address. The zero value is neither. Hosts are
// comparable, names as they were given.
type Host struct {
	name string     // "" for an address
	addr netip.Addr // not valid for a name
}

// HostOf returns the host that an address is.
func HostOf(addr netip.Addr) Host { return Host{addr: addr} }

// ParseHost returns the host of a text that a person or a foreign protocol gave: an address
// if netip reads it as one, else a name. Whether the name is well formed is for the server's
// policy to say.
func ParseHost(text string) Host {
	if addr, err := netip.ParseAddr(text); err == nil {
		return Host{addr: addr}
	}
	return Host{name: text}
}

// IsZero reports whether the host is neither a name nor an address.
func (h Host) IsZero() bool { return h == Host{} }

// Name returns the name, and "" for an address.
func (h Host) Name() string { return h.name }

// Addr returns the address, and the zero value for a name.
func (h Host) Addr() netip.Addr { return h.addr }

// String returns the name as it was given, or the address as netip prints it. It is for
// people.
func (h Host) String() string {
	if h.addr.IsValid() {
		return h.addr.String()
	}
	return h.name
}

// At returns host and port as people write them: with brackets around IPv6. It is for
// people.
func (h Host) At(port uint16) string {
	if h.addr.IsValid() {
		return netip.AddrPortFrom(h.addr, port).String()
	}
	return h.name + ":" + decimal.Of(port)
}

// append appends the form of the host, its length and its bytes. It fails for a host that has
// no form on the wire.
func (h Host) append(to []byte) ([]byte, error) {
	switch {
	case h.IsZero():
		return append(to, formNone, 0), nil
	case h.addr.Is4():
		return append(append(to, form4, 4), h.addr.AsSlice()...), nil
	case h.addr.IsValid() && h.addr.Zone() == "":
		return append(append(to, form6, 16), h.addr.AsSlice()...), nil
	}
	// The form of an address has no zone. The server says so, where it gets one as a name.
	name := h.String()
	if len(name) > MaxName {
		return to, NewError(InvalidRequest, "host name of "+decimal.Of(len(name))+" bytes, more than "+decimal.Of(MaxName))
	}
	return append(append(to, formName, byte(len(name))), name...), nil
}

// host reads what append wrote.
func (r *reader) host() (Host, error) {
	form := r.u8()
	host := r.bytes(int(r.u8()))
	switch {
	case !r.ok:
		return Host{}, nil
	case form == formNone && len(host) == 0:
		return Host{}, nil
	case form == formName && len(host) > 0 && len(host) <= MaxName:
		return ParseHost(string(host)), nil
	case form == form4 && len(host) == 4, form == form6 && len(host) == 16:
		addr, _ := netip.AddrFromSlice(host)
		return HostOf(addr), nil
	}
	return Host{}, NewError(InvalidRequest, "host of form "+decimal.Of(form)+" and "+decimal.Of(len(host))+" bytes")
}
