package mux

import (
	"encoding/binary"
	"io"
)

// A yamux frame's header (yamux spec.md, "Framing"): version, type, u16 flags, u32 stream, u32 length.
const (
	headerSize = 12
	typeData   = 0
	flagFIN    = 0x4
)

// frameReader passes bytes through and tells of each FIN before yamux sees it: yamux's Read says io.EOF for a FIN and for the end of
// the session alike.
type frameReader struct {
	io.Reader
	onFIN func(stream uint32)

	header [headerSize]byte
	have   int    // bytes of the header so far
	body   uint32 // bytes of the body to come
}

func (f *frameReader) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	f.follow(b[:n])
	return n, err
}

func (f *frameReader) follow(b []byte) {
	for len(b) > 0 {
		if f.body > 0 {
			n := min(uint32(len(b)), f.body)
			f.body -= n
			b = b[n:]
			continue
		}
		n := copy(f.header[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have < headerSize {
			return
		}
		f.have = 0
		if f.header[1] == typeData {
			f.body = binary.BigEndian.Uint32(f.header[8:])
		}
		if binary.BigEndian.Uint16(f.header[2:])&flagFIN != 0 {
			f.onFIN(binary.BigEndian.Uint32(f.header[4:]))
		}
	}
}

// frameWriter joins the header of a data frame with its body: yamux writes them separately, and each write could become a message.
type frameWriter struct {
	to      io.Writer
	pending []byte
}

func (f *frameWriter) Write(b []byte) (int, error) {
	if len(f.pending) > 0 {
		both := append(f.pending, b...)
		f.pending = both[:0]
		if n, err := f.to.Write(both); err != nil {
			return max(0, n-headerSize), err
		}
		return len(b), nil
	}
	if len(b) == headerSize && b[1] == typeData && binary.BigEndian.Uint32(b[8:]) > 0 {
		f.pending = append(f.pending[:0], b...)
		return len(b), nil
	}
	return f.to.Write(b)
}
