package wire

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/shared/decimal"
)

// MaxAddresses is how many addresses an answer has at most; a name with more is a list of servers
// of which any few will do.
const MaxAddresses = 64

// Forms of a name and of an address in an answer.
const (
	FormNone = formNone
	FormName = formName
	FormIPv4 = form4
	FormIPv6 = form6
)

// MaxNames is how many names of one address an answer has at most.
const MaxNames = 16

// MaxAddressesSize bounds the encoded answer without its length.
const MaxAddressesSize = 4 + MaxAddresses*17 + MaxNames*(2+MaxName)

// Addresses is what a resolve stream carries behind the result: what a name resolves to.
type Addresses struct {
	TTL   time.Duration // for which the answer is good; seconds on the wire
	Addrs []netip.Addr  // cut to MaxAddresses when encoded
	Names []string      // of an address; cut to MaxNames, each of 1 to MaxName bytes
}

// Append appends the answer with its length.
func (a Addresses) Append(to []byte) []byte {
	start := len(to)
	to = binary.BigEndian.AppendUint32(append(to, 0, 0), uint32(min(max(a.TTL, 0)/time.Second, math.MaxUint32)))
	for _, addr := range a.Addrs[:min(len(a.Addrs), MaxAddresses)] {
		form := byte(form6)
		if addr.Is4() {
			form = form4
		}
		to = append(append(to, form), addr.AsSlice()...)
	}
	for _, name := range a.Names[:min(len(a.Names), MaxNames)] {
		if 0 < len(name) && len(name) <= MaxName {
			to = append(append(to, formName, byte(len(name))), name...)
		}
	}
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to
}

// DecodeAddresses reads an answer without its length. Its error is an *Error.
func DecodeAddresses(body []byte) (Addresses, error) {
	r := read(body)
	a := Addresses{TTL: time.Duration(r.u32()) * time.Second}
	for r.ok && len(r.rest) > 0 {
		var host []byte
		switch r.u8() {
		case formName:
			name := r.bytes(int(r.u8()))
			if r.ok = r.ok && 0 < len(name) && len(name) <= MaxName && len(a.Names) < MaxNames; r.ok {
				a.Names = append(a.Names, string(name))
			}
			continue
		case form4:
			host = r.bytes(4)
		case form6:
			host = r.bytes(16)
		}
		addr, ok := netip.AddrFromSlice(host)
		if r.ok = r.ok && ok && len(a.Addrs) < MaxAddresses; r.ok {
			a.Addrs = append(a.Addrs, addr)
		}
	}
	if !r.ok {
		return Addresses{}, NewError(Protocol, "malformed addresses of "+decimal.Of(len(body))+" bytes")
	}
	return a, nil
}
