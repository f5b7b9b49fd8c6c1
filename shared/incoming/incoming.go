// Package incoming encodes and decodes what a listen stream carries behind its result
// (docs/PROTOCOL.md, section 5.4): a record for each incoming connection in one direction, the
// length of the backlog in the other.
//
//	record, err := incoming.Read(stream)
//	request := wire.Request{Kind: wire.Accept, Port: record.Number}
//
// It is pure: it opens nothing.
package incoming

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"

	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// Address forms, as in a result.
const (
	form4 = 4
	form6 = 6
)

// BacklogSize is the length of an encoded backlog.
const BacklogSize = 4

// maxRecord bounds a record without its length. It is longer than any record of today, so that
// later servers may add fields.
const maxRecord = 256

// Record announces one incoming connection.
type Record struct {
	Number uint16         // the port of the accept stream that takes it; never 0
	Remote netip.AddrPort // of the other end
}

// Append appends the record with its length.
func (r Record) Append(to []byte) []byte {
	start := len(to)
	to = binary.BigEndian.AppendUint16(append(to, 0, 0), r.Number)
	addr := r.Remote.Addr().Unmap()
	form := byte(form6)
	if addr.Is4() {
		form = form4
	}
	to = append(append(to, form), addr.AsSlice()...)
	to = binary.BigEndian.AppendUint16(to, r.Remote.Port())
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to
}

// Decode reads a record without its length. Bytes behind its fields are passed over. The error is
// a *wire.Error.
func Decode(body []byte) (Record, error) {
	malformed := wire.NewError(wire.Protocol, "malformed record of "+decimal.Of(len(body))+" bytes")
	if len(body) < 3 {
		return Record{}, malformed
	}
	r := Record{Number: binary.BigEndian.Uint16(body)}
	size := 0
	switch body[2] {
	case form4:
		size = 4
	case form6:
		size = 16
	}
	if rest := body[3:]; size > 0 && len(rest) >= size+2 && r.Number != 0 {
		addr, _ := netip.AddrFromSlice(rest[:size])
		r.Remote = netip.AddrPortFrom(addr, binary.BigEndian.Uint16(rest[size:]))
		return r, nil
	}
	return Record{}, malformed
}

// Read reads a record with its length. It returns io.EOF where the stream has ended between two
// records, a *wire.Error for what is malformed, and any other error of the stream.
func Read(stream io.Reader) (Record, error) {
	var length [2]byte
	if _, err := io.ReadFull(stream, length[:]); err != nil {
		return Record{}, cut(err)
	}
	size := int(binary.BigEndian.Uint16(length[:]))
	if size > maxRecord {
		return Record{}, wire.NewError(wire.Protocol, "record of "+decimal.Of(size)+" bytes, more than "+decimal.Of(maxRecord))
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(stream, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Record{}, cut(err)
	}
	return Decode(body)
}

// cut gives the end of a stream inside a record its code.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return wire.NewError(wire.Protocol, "the stream ends inside a record")
	}
	return err
}

// AppendBacklog appends the length of a backlog, as listen(2) has it. A negative one counts as 0.
func AppendBacklog(to []byte, backlog int) []byte {
	return binary.BigEndian.AppendUint32(to, uint32(max(backlog, 0)))
}

// DecodeBacklog reads what AppendBacklog has written. b must have BacklogSize bytes.
func DecodeBacklog(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
