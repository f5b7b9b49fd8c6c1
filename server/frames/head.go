package frames

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/sockmux/sockmux/shared/message"
)

// head is that of a frame (RFC 6455, section 5.2).
type head struct {
	op     opcode
	final  bool
	length uint64
	key    [maskSize]byte // of a client's frame
}

// headOf reads the first two bytes of a head, and checks what is wrong in any. masked says that the
// frame is a client's. If the head has more than two bytes, extend follows with all of them.
func headOf(b []byte, masked bool) (h head, size int, err error) {
	h = head{op: opcode(b[0] & bitsOpcode), final: b[0]&bitFinal != 0, length: uint64(b[1] & bitsLength)}
	switch {
	case b[0]&bitsSpare != 0:
		return head{}, 0, &ProtocolError{"a reserved bit is set"}
	case h.op > opBinary && h.op < opClose || h.op > opPong:
		return head{}, 0, &ProtocolError{"an unknown opcode"}
	case h.op.control() && (!h.final || h.length > maxControl):
		return head{}, 0, &ProtocolError{"a control frame in pieces or of more than 125 bytes"}
	case b[1]&bitMasked != 0 && !masked:
		return head{}, 0, &ProtocolError{"a masked frame"}
	case b[1]&bitMasked == 0 && masked:
		return head{}, 0, &ProtocolError{"a frame that is not masked"}
	}
	size = 2
	switch h.length {
	case length16:
		size += 2
	case length64:
		size += 8
	}
	if masked {
		size += maskSize
	}
	return h, size, nil
}

// extend reads what stands behind the first two bytes of a head.
func (h *head) extend(b []byte) error {
	rest, least := b[2:], uint64(0)
	switch h.length {
	case length16:
		h.length, least, rest = uint64(binary.BigEndian.Uint16(rest)), length16, rest[2:]
	case length64:
		h.length, least, rest = binary.BigEndian.Uint64(rest), 1<<16, rest[8:]
	}
	if h.length < least || h.length > math.MaxInt64 {
		return &ProtocolError{"a length that is not in its shortest form, or is negative"}
	}
	copy(h.key[:], rest)
	return nil
}

// closeOf returns what a close frame says.
func closeOf(payload []byte) (*CloseError, error) {
	end := &CloseError{Code: message.NoCode}
	if len(payload) == 0 {
		return end, nil
	}
	if len(payload) == 1 {
		return nil, &ProtocolError{"a close frame of one byte"}
	}
	end.Code, end.Reason = binary.BigEndian.Uint16(payload), string(payload[2:])
	switch end.Code {
	case message.NoCode, 1006, 1015: // these stand for the absence of a frame (RFC 6455, section 7.4.1)
		return nil, &ProtocolError{"a close frame with a code that is reserved"}
	}
	if !utf8.ValidString(end.Reason) {
		return nil, &ProtocolError{"a close frame whose reason is not UTF-8"}
	}
	return end, nil
}
