// Package message is the encoding of a WebSocket's messages on a websocket stream
// (docs/PROTOCOL.md, 5.4).
//
//	b, err := message.Open{TLS: true, Resource: "/chat"}.Append(nil)
//	b = message.Record{Kind: message.Text, Last: true, Payload: text}.Append(b)
//	stream.Write(b)
//
//	var decoder message.Decoder
//	n, err := stream.Read(b)
//	err = decoder.Decode(b[:n], receiver)
//
// The package is pure: it has no goroutine and no net.
package message

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// Bounds of what opens a WebSocket.
const (
	MaxResource    = 8192 // bytes of path and query
	MaxSubprotocol = 255
	MaxOpen        = 12 << 10
)

// What the text has, behind the target, with which a server resets the stream of a
// handshake that has failed. A program tells them apart by it. What follows is for people.
const (
	TextStatus = "the target answered the WebSocket handshake with status "
	TextTLS    = "the TLS handshake failed"
	TextAnswer = "the WebSocket handshake failed"
)

// MaxReason is how many bytes the reason of a close has at most (RFC 6455, 5.5).
const MaxReason = 123

// HeadSize is how long what stands before the payload of a record is.
const HeadSize = 5

// LastPiece is set in the kind of a record that ends a message.
const LastPiece = 0x80

// Kind says what a record carries. The numbers are the opcodes of RFC 6455, 5.2.
type Kind uint8

// The kinds of records.
const (
	More   Kind = 0 // one more piece of the message that has begun
	Text   Kind = 1 // the first piece of a text
	Binary Kind = 2 // the first piece of bytes
	Close  Kind = 8 // the close frame
)

// Open is what a client sends first: what the WebSocket's handshake needs beside host and port.
type Open struct {
	TLS          bool     // wss
	Resource     string   // path and query
	Subprotocols []string // that are offered

	// OwnFields says that the client gives the header fields itself: Fields, and no Origin
	// but one among them.
	OwnFields bool
	Fields    []Field
}

// Flags of an Open.
const (
	FlagTLS       = 1
	FlagOwnFields = 2
)

// Append appends the encoded Open with its length. It fails for what a handshake cannot have.
func (o Open) Append(to []byte) ([]byte, error) {
	if err := o.check(); err != nil {
		return to, err
	}
	start := len(to)
	to = append(to, 0, 0, 0)
	if o.TLS {
		to[start+2] |= FlagTLS
	}
	to = binary.BigEndian.AppendUint16(to, uint16(len(o.Resource)))
	to = append(to, o.Resource...)
	if o.OwnFields {
		to[start+2] |= FlagOwnFields
		to = appendFields(to, o.Fields)
	}
	for _, name := range o.Subprotocols {
		to = append(append(to, byte(len(name))), name...)
	}
	if len(to)-start-2 > MaxOpen {
		return to[:start], invalid("a handshake of " + decimal.Of(len(to)-start-2) + " bytes")
	}
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to, nil
}

// DecodeOpen reads an Open without its length. Its error is a *wire.Error.
func DecodeOpen(body []byte) (Open, error) {
	if len(body) < 3 || body[0]&^(FlagTLS|FlagOwnFields) != 0 {
		return Open{}, invalid("a malformed handshake")
	}
	o := Open{TLS: body[0]&FlagTLS != 0, OwnFields: body[0]&FlagOwnFields != 0}
	resource, rest, ok := cut(body[1:], 2)
	o.Resource = string(resource)
	if ok && o.OwnFields {
		o.Fields, rest, ok = decodeFields(rest)
	}
	for ok && len(rest) > 0 {
		var name []byte
		name, rest, ok = cut(rest, 1)
		o.Subprotocols = append(o.Subprotocols, string(name))
	}
	if !ok {
		return Open{}, invalid("a malformed handshake")
	}
	return o, o.check()
}

// check returns an error for what would not be one request of HTTP.
func (o Open) check() error {
	if len(o.Resource) > MaxResource || !strings.HasPrefix(o.Resource, "/") {
		return invalid("the resource has " + decimal.Of(len(o.Resource)) + " bytes, or does not begin with a slash")
	}
	for _, c := range []byte(o.Resource) {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return invalid("the resource has the byte " + decimal.Of(c))
		}
	}
	for i, name := range o.Subprotocols {
		if name == "" || len(name) > MaxSubprotocol || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }) {
			return invalid("a subprotocol that is no token")
		}
		for _, other := range o.Subprotocols[:i] {
			if name == other {
				return invalid("a subprotocol that is offered twice")
			}
		}
	}
	return checkFields(o.Fields)
}

// isToken reports whether a character may be in a token (RFC 9110, 5.6.2).
func isToken(r rune) bool {
	return r > ' ' && r < 0x7f && !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
}

// AppendOpened appends what a server sends behind the result when the WebSocket is open: the
// subprotocol that was chosen, or none.
func AppendOpened(to []byte, subprotocol string) []byte {
	return append(append(to, byte(len(subprotocol))), subprotocol...)
}

// Record is a piece of a message, or a close frame.
type Record struct {
	Kind    Kind
	Last    bool // the message ends with it
	Payload []byte
}

// Append appends the encoded record.
func (r Record) Append(to []byte) []byte {
	return append(r.AppendHead(to), r.Payload...)
}

// AppendHead appends what stands before the payload.
func (r Record) AppendHead(to []byte) []byte {
	kind := byte(r.Kind)
	if r.Last {
		kind |= LastPiece
	}
	return binary.BigEndian.AppendUint32(append(to, kind), uint32(len(r.Payload)))
}

// NoCode is the code of a close frame that has none (RFC 6455, 7.4.1).
const NoCode = 1005

// CloseRecord returns a close frame. NoCode stands for one without a code.
func CloseRecord(code uint16, reason string) Record {
	r := Record{Kind: Close, Last: true}
	if code != NoCode {
		r.Payload = append(binary.BigEndian.AppendUint16(nil, code), wire.Cut(reason, MaxReason)...)
	}
	return r
}

// closeOf reads the payload of a close frame.
func closeOf(payload []byte) (code uint16, reason string, err error) {
	switch {
	case len(payload) == 0:
		return NoCode, "", nil
	case len(payload) == 1 || !utf8.Valid(payload[2:]):
		return 0, "", invalid("a malformed close frame")
	}
	code = binary.BigEndian.Uint16(payload)
	if code < 1000 || code > 4999 || code == 1004 || code == NoCode || code == 1006 || code >= 1015 && code < 3000 {
		return 0, "", invalid("the close code " + decimal.Of(code))
	}
	return code, string(payload[2:]), nil
}

func invalid(what string) error { return wire.NewError(wire.InvalidRequest, what) }
