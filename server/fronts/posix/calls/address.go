package calls

import (
	"encoding/binary"
	"net/netip"
)

// Families of addresses, with the numbers of Linux and musl.
const (
	AFUnspec = 0
	AFUnix   = 1
	AFInet   = 2
	AFInet6  = 10
)

// Sizes of addresses, in bytes.
const (
	sizeInet  = 16
	sizeInet6 = 28
)

// Family returns the family of an address; AFUnspec where none is there.
func Family(address []byte) int32 {
	if len(address) < 2 {
		return AFUnspec
	}
	return int32(binary.LittleEndian.Uint16(address))
}

// AddrPort reads an address of the internet. ok is false for one that is too short, and for
// those of other families. An IPv4 address in the form of IPv6 stays in that form.
func AddrPort(address []byte) (ap netip.AddrPort, ok bool) {
	switch family := Family(address); {
	case family == AFInet && len(address) >= sizeInet:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[4:8])), binary.BigEndian.Uint16(address[2:])), true
	case family == AFInet6 && len(address) >= sizeInet6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(address[8:24])), binary.BigEndian.Uint16(address[2:])), true
	}
	return netip.AddrPort{}, false
}

// AppendAddress appends an address for a socket of a family. That of IPv4 goes to a socket of
// IPv6 as an IPv4-mapped one. An address that is not valid is the unspecified one.
func AppendAddress(b []byte, family int32, ap netip.AddrPort) []byte {
	if family == AFInet6 {
		b = binary.LittleEndian.AppendUint16(b, AFInet6)
		b = binary.BigEndian.AppendUint16(b, ap.Port())
		b = append(b, 0, 0, 0, 0) // flow
		address := [16]byte{}
		if ap.IsValid() {
			address = ap.Addr().As16()
		}
		return append(append(b, address[:]...), 0, 0, 0, 0) // scope
	}
	b = binary.LittleEndian.AppendUint16(b, AFInet)
	b = binary.BigEndian.AppendUint16(b, ap.Port())
	address := [4]byte{}
	if a := ap.Addr().Unmap(); a.Is4() {
		address = a.As4()
	}
	return append(append(b, address[:]...), make([]byte, 8)...)
}
