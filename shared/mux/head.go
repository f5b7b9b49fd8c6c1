package mux

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/sockmux/sockmux/shared/wire"
)

// head gathers a message with its length of two bytes, from any number of frames. The goroutine
// that reads frames owns it.
type head struct {
	bytes []byte
	limit int // of the message without its length
}

// missing returns how many bytes are to be read next: of the length, or of the message.
func (h *head) missing() int {
	if len(h.bytes) < 2 {
		return 2 - len(h.bytes)
	}
	return 2 + int(binary.BigEndian.Uint16(h.bytes)) - len(h.bytes)
}

// fill reads up to most bytes of the message. It returns how many it has read, and the message
// once that is complete.
func (h *head) fill(from *bufio.Reader, most int) (n int, message []byte, bad *wire.Error, err error) {
	for n < most {
		b := make([]byte, min(h.missing(), most-n))
		m, err := io.ReadFull(from, b)
		h.bytes, n = append(h.bytes, b[:m]...), n+m
		if err != nil {
			return n, nil, nil, err
		}
		if len(h.bytes) < 2 {
			continue
		}
		switch length := int(binary.BigEndian.Uint16(h.bytes)); {
		case length > h.limit:
			return n, nil, wire.NewError(wire.Protocol, "message too long"), nil
		case length == 0:
			return n, nil, wire.NewError(wire.Protocol, "empty message"), nil
		case h.missing() == 0:
			message, h.bytes = h.bytes[2:], nil
			return n, message, nil, nil
		}
	}
	return n, nil, nil, nil
}
