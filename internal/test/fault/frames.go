package fault

import (
	"bytes"
	"encoding/binary"
)

// frames follows one direction of a WebSocket (RFC 6455, section 5.2) from the first byte
// of its HTTP message on.
type frames struct {
	open    bool   // the HTTP header has passed
	tail    []byte // its last bytes so far, at most three
	header  []byte // bytes of the present frame's header so far
	body    uint64 // bytes of the present frame to come
	message uint64 // payload of the present message so far, all its frames' lengths
	longest uint64 // message so far
}

var blank = []byte("\r\n\r\n")

// follow takes the next bytes.
func (f *frames) follow(b []byte) {
	if !f.open {
		all := append(f.tail, b...)
		i := bytes.Index(all, blank)
		if i < 0 {
			f.tail = bytes.Clone(all[max(0, len(all)-len(blank)+1):])
			return
		}
		f.open, b = true, all[i+len(blank):]
	}
	for len(b) > 0 {
		if f.body > 0 {
			n := min(f.body, uint64(len(b)))
			f.body -= n
			b = b[n:]
			continue
		}
		f.header = append(f.header, b[0])
		b = b[1:]
		if len(f.header) >= 2 && len(f.header) == headerLength(f.header) {
			f.begin()
		}
	}
}

func headerLength(h []byte) int {
	n := 2
	switch h[1] & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if h[1]&0x80 != 0 {
		n += 4 // the mask
	}
	return n
}

// begin takes the header of a frame.
func (f *frames) begin() {
	switch n := f.header[1] & 0x7f; n {
	case 126:
		f.body = uint64(binary.BigEndian.Uint16(f.header[2:]))
	case 127:
		f.body = binary.BigEndian.Uint64(f.header[2:])
	default:
		f.body = uint64(n)
	}
	const control = 0x08
	if f.header[0]&control == 0 {
		f.message += f.body
		f.longest = max(f.longest, f.message)
		if fin := f.header[0]&0x80 != 0; fin {
			f.message = 0
		}
	}
	f.header = f.header[:0]
}

// inside reports whether the last byte was not the last of a frame.
func (f *frames) inside() bool { return f.body > 0 || len(f.header) > 0 }
