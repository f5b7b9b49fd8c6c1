// Package datagram is the encoding of the datagrams of a udp stream (docs/PROTOCOL.md, 5.3).
//
//	b, err := datagram.Record{Peer: peer, Payload: query}.Append(nil)
//	stream.Write(b)
//
//	var decoder datagram.Decoder
//	n, err := stream.Read(b)
//	err = decoder.Decode(b[:n], func(r datagram.Record) { receive(r.Peer, r.Payload) })
//
// The package is pure: it has no goroutine and no net.
package datagram

import (
	"encoding/binary"
	"net/netip"

	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// MaxPayload is how many bytes a datagram has at most: a packet of IPv4 has 65535, of which its
// head has 20 and that of UDP 8 (RFC 791, 3.1; RFC 768).
const MaxPayload = 65507

// MaxHead is how long what stands before the payload is at most: that of a report about a name.
const MaxHead = 2 + 1 + 2 + 1 + 1 + wire.MaxName + 2

// formReport stands where the form of a record's address does, for a report, whose address follows.
const formReport = 255

// Peer is the other end of a datagram. The zero Peer is that of a connected socket.
type Peer struct {
	Host wire.Host // an address is neither mapped nor has it a zone
	Port uint16
}

// PeerAt returns the Peer of an address.
func PeerAt(a netip.AddrPort) Peer {
	return Peer{wire.HostOf(a.Addr().Unmap().WithZone("")), a.Port()}
}

// String returns host and port as people write them.
func (p Peer) String() string { return p.Host.At(p.Port) }

// Record is a datagram, or a report about an earlier one if its code is not OK.
type Record struct {
	Peer    Peer // to which it goes, from which it comes, or which the report is about
	Payload []byte
	Code    wire.Code // why nothing more of earlier datagrams arrived; Payload is the text then
}

// Report returns a record that tells what became of a datagram to the peer.
func Report(peer Peer, code wire.Code, text string) Record {
	return Record{Peer: peer, Code: code, Payload: []byte(wire.Cut(text, wire.MaxText))}
}

// TooLong is the error of a payload beyond MaxPayload, EMSGSIZE to programs.
type TooLong int

func (t TooLong) Error() string {
	return "a datagram of " + decimal.Of(int(t)) + " bytes, more than " + decimal.Of(MaxPayload)
}

// Append appends the encoded record. It fails for a payload that is too long, with TooLong, and
// for a name that is.
func (r Record) Append(to []byte) ([]byte, error) {
	if len(r.Payload) > MaxPayload {
		return to, TooLong(len(r.Payload))
	}
	name, addr := r.Peer.Host.Name(), r.Peer.Host.Addr()
	if len(name) > wire.MaxName {
		return to, wire.NewError(wire.InvalidRequest, "host name of "+decimal.Of(len(name))+" bytes, more than "+decimal.Of(wire.MaxName))
	}
	to = binary.BigEndian.AppendUint16(to, uint16(len(r.Payload)))
	if r.Code != wire.OK {
		to = binary.BigEndian.AppendUint16(append(to, formReport), uint16(r.Code))
	}
	switch {
	case name != "":
		to = append(append(to, wire.FormName, byte(len(name))), name...)
	case !addr.IsValid():
		return append(append(to, wire.FormNone), r.Payload...), nil
	case addr.Is4():
		a := addr.As4()
		to = append(append(to, wire.FormIPv4), a[:]...)
	default:
		a := addr.As16()
		to = append(append(to, wire.FormIPv6), a[:]...)
	}
	to = binary.BigEndian.AppendUint16(to, r.Peer.Port)
	return append(to, r.Payload...), nil
}
