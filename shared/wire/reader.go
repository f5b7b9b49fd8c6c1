package wire

import "encoding/binary"

// reader takes fields off the front of a message. After the first field that is not there
// every further one is zero and ok is false.
type reader struct {
	rest []byte
	ok   bool
}

func read(message []byte) *reader { return &reader{rest: message, ok: true} }

func (r *reader) bytes(n int) []byte {
	if !r.ok || len(r.rest) < n {
		r.ok = false
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) u8() uint8 {
	if b := r.bytes(1); r.ok {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.bytes(2); r.ok {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); r.ok {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if b := r.bytes(8); r.ok {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// all takes what is left.
func (r *reader) all() []byte {
	b := r.rest
	r.rest = nil
	return b
}

// text takes what is left as a text of at most MaxText bytes.
func (r *reader) text() string {
	b := r.all()
	r.ok = r.ok && len(b) <= MaxText
	return string(b)
}

// end reports whether every field was there and nothing is left.
func (r *reader) end() bool { return r.ok && len(r.rest) == 0 }

// Cut cuts a text to a bound without leaving half a UTF-8 sequence.
func Cut(text string, bound int) string {
	if len(text) <= bound {
		return text
	}
	for bound > 0 && text[bound]&0xc0 == 0x80 {
		bound--
	}
	return text[:bound]
}
