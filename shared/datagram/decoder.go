package datagram

import (
	"encoding/binary"
	"net/netip"

	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// keep is how long a buffer for what is incomplete may be that stays for the next record.
const keep = 4 << 10

// Decoder takes the bytes of a stream apart. It holds one incomplete record at most. The zero
// Decoder is ready.
type Decoder struct{ partial []byte }

// Decode calls take with each record that b completes. The payload is valid until take returns.
// The error is a *wire.Error with the code protocol; nothing can be decoded after it.
func (d *Decoder) Decode(b []byte, take func(Record)) error {
	for len(b) > 0 {
		var whole []byte
		var err error
		if len(d.partial) == 0 {
			var size int
			if size, err = sizeOf(b); err == nil && size <= len(b) {
				whole, b = b[:size], b[size:]
			}
		}
		if err == nil && whole == nil {
			whole, b, err = d.complete(b)
		}
		if err != nil {
			d.partial = nil
			return err
		}
		if whole == nil {
			return nil
		}
		take(decode(whole))
		if d.partial = d.partial[:0]; cap(d.partial) > keep {
			d.partial = nil
		}
	}
	return nil
}

// Pending reports whether a record is incomplete.
func (d *Decoder) Pending() bool { return len(d.partial) > 0 }

// Held returns how many bytes of memory the decoder holds.
func (d *Decoder) Held() int { return cap(d.partial) }

// complete adds to the incomplete record. It returns the record once it is whole, and what of b is
// behind it.
func (d *Decoder) complete(b []byte) (whole, rest []byte, err error) {
	for {
		size, err := sizeOf(d.partial)
		if err != nil {
			return nil, nil, err
		}
		missing := size - len(d.partial)
		if missing == 0 {
			return d.partial, b, nil
		}
		if len(b) == 0 {
			return nil, nil, nil
		}
		n := min(missing, len(b))
		d.partial = append(d.partial, b[:n]...)
		b = b[n:]
	}
}

// sizeOf returns how long the record is that b begins, or how much of it shows more.
func sizeOf(b []byte) (int, error) {
	at := 3
	if len(b) < at {
		return at, nil
	}
	payload, form := int(binary.BigEndian.Uint16(b)), b[2]
	bound := MaxPayload
	if form == formReport {
		if at = 6; len(b) < at {
			return at, nil
		}
		form, bound = b[5], wire.MaxText
		if binary.BigEndian.Uint16(b[3:]) == uint16(wire.OK) {
			return 0, wire.NewError(wire.Protocol, "a report with the code ok")
		}
	}
	if payload > bound {
		return 0, wire.NewError(wire.Protocol, "a datagram of "+decimal.Of(payload)+" bytes, more than "+decimal.Of(bound))
	}
	switch form {
	case wire.FormNone:
	case wire.FormName:
		if len(b) <= at {
			return at + 1, nil
		}
		if b[at] == 0 || int(b[at]) > wire.MaxName {
			return 0, wire.NewError(wire.Protocol, "a datagram with a name of "+decimal.Of(b[at])+" bytes")
		}
		at += 1 + int(b[at]) + 2
	case wire.FormIPv4:
		at += 4 + 2
	case wire.FormIPv6:
		at += 16 + 2
	default:
		return 0, wire.NewError(wire.Protocol, "a datagram with an address of form "+decimal.Of(form))
	}
	return at + payload, nil
}

// decode reads a whole record, whose size sizeOf has found.
func decode(b []byte) (r Record) {
	payload := int(binary.BigEndian.Uint16(b))
	r.Payload = b[len(b)-payload:]
	form, b := b[2], b[3:len(b)-payload]
	if form == formReport {
		r.Code = wire.Code(binary.BigEndian.Uint16(b))
		form, b = b[2], b[3:]
	}
	if form == wire.FormNone {
		return r
	}
	host := b[:len(b)-2]
	r.Peer.Port = binary.BigEndian.Uint16(b[len(host):])
	if form == wire.FormName {
		r.Peer.Host = wire.ParseHost(string(host[1:]))
		return r
	}
	addr, _ := netip.AddrFromSlice(host)
	r.Peer.Host = wire.HostOf(addr)
	return r
}
