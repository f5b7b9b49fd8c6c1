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
	to = wire.AppendAddrPort(to, netip.AddrPortFrom(r.Remote.Addr().Unmap(), r.Remote.Port()))
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to
}

// Decode reads a record without its length. Bytes behind its fields are passed over. The error is
// a *wire.Error.
func Decode(body []byte) (Record, error) {
	malformed := wire.NewError(wire.Protocol, "malformed record of "+decimal.Of(len(body))+" bytes")
	if len(body) < 2 {
		return Record{}, malformed
	}
	remote, _, ok := wire.DecodeAddrPort(body[2:])
	r := Record{Number: binary.BigEndian.Uint16(body), Remote: remote}
	if !ok || !remote.IsValid() || r.Number == 0 {
		return Record{}, malformed
	}
	return r, nil
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
