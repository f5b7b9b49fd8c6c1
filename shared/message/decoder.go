package message

import (
	"encoding/binary"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Receiver takes what a Decoder has read. An error ends the decoding.
type Receiver interface {
	// Open is called once, first.
	Open(Open) error
	// Piece is called for each piece of a message as it comes. Kind is that of the message,
	// first is set for its first piece, Last for its last. Payload is valid during the call.
	Piece(piece Record, first bool) error
	// CloseFrame is called once, last.
	CloseFrame(code uint16, reason string) error
}

// Decoder reads what a client sends on a websocket stream, in pieces of any size. It holds no
// more than an Open or a close frame. The zero value is ready.
type Decoder struct {
	state  decoderState
	gather []byte // of what is read whole
	kind   Kind   // of the message that has begun; More: none has
	last   bool   // the record ends its message
	first  bool   // nothing of the message was passed on
	left   uint32 // bytes of the record
}

type decoderState uint8

const (
	inLength decoderState = iota // of the Open
	inOpen
	inHead
	inPiece
	inClose
	closed // what comes is no part of the WebSocket
)

// Decode reads b. Its error is a *wire.Error, or that of the receiver.
func (d *Decoder) Decode(b []byte, to Receiver) error {
	for len(b) > 0 && d.state != closed {
		var err error
		switch d.state {
		case inPiece:
			b, err = d.piece(b, to)
		case inLength:
			b, err = d.whole(b, 2, func(whole []byte) error {
				d.state, d.left = inOpen, uint32(binary.BigEndian.Uint16(whole))
				if d.left == 0 || d.left > MaxOpen {
					return invalid("a handshake of " + decimal.Of(d.left) + " bytes")
				}
				return nil
			})
		case inOpen:
			b, err = d.whole(b, int(d.left), func(whole []byte) error {
				d.state = inHead
				open, err := DecodeOpen(whole)
				if err != nil {
					return err
				}
				return to.Open(open)
			})
		case inHead:
			b, err = d.whole(b, HeadSize, func(whole []byte) error { return d.head(whole, to) })
		case inClose:
			b, err = d.whole(b, int(d.left), func(whole []byte) error { return d.close(whole, to) })
		}
		if err != nil {
			d.state = closed
			return err
		}
	}
	return nil
}

// whole gathers n bytes, then passes them on. It returns what is left of b.
func (d *Decoder) whole(b []byte, n int, pass func([]byte) error) ([]byte, error) {
	m := min(n-len(d.gather), len(b))
	d.gather = append(d.gather, b[:m]...)
	if len(d.gather) < n {
		return b[m:], nil
	}
	whole := d.gather
	d.gather = nil
	return b[m:], pass(whole)
}

// head reads the head of a record.
func (d *Decoder) head(b []byte, to Receiver) error {
	kind, last := Kind(b[0]&^LastPiece), b[0]&LastPiece != 0
	d.left = binary.BigEndian.Uint32(b[1:])
	switch {
	case kind == Close && last && d.left <= 2+MaxReason:
		d.state = inClose
		if d.left == 0 {
			return d.close(nil, to)
		}
		return nil
	case kind == More && d.kind != More, (kind == Text || kind == Binary) && d.kind == More:
	default:
		return invalid("a record of the kind " + decimal.Of(b[0]) + " with " + decimal.Of(d.left) + " bytes")
	}
	if kind != More {
		d.kind, d.first = kind, true
	}
	d.last, d.state = last, inPiece
	if d.left == 0 {
		_, err := d.piece(nil, to)
		return err
	}
	return nil
}

// piece passes on what b has of a record.
func (d *Decoder) piece(b []byte, to Receiver) ([]byte, error) {
	n := uint32(min(uint64(d.left), uint64(len(b))))
	d.left -= n
	r := Record{Kind: d.kind, Last: d.last && d.left == 0, Payload: b[:n]}
	first := d.first
	d.first = false
	if d.left == 0 {
		d.state = inHead
		if d.last {
			d.kind = More
		}
	}
	return b[n:], to.Piece(r, first)
}

func (d *Decoder) close(payload []byte, to Receiver) error {
	d.state = closed
	code, reason, err := closeOf(payload)
	if err != nil {
		return err
	}
	return to.CloseFrame(code, reason)
}
