package mux

import (
	"encoding/binary"
	"sync"
)

// A yamux frame's header (yamux spec.md, "Framing"): version, type, u16 flags, u32
// stream, u32 length.
const (
	headerSize       = 12
	typeData         = 0
	typeWindowUpdate = 1
	typePing         = 2
	typeGoAway       = 3
	flagSYN          = 0x1
	flagACK          = 0x2
	flagFIN          = 0x4
	flagRST          = 0x8
)

type header [headerSize]byte

func newHeader(kind byte, flags uint16, stream, length uint32) (h header) {
	h[1] = kind
	binary.BigEndian.PutUint16(h[2:], flags)
	binary.BigEndian.PutUint32(h[4:], stream)
	binary.BigEndian.PutUint32(h[8:], length)
	return h
}

func (h *header) version() byte  { return h[0] }
func (h *header) kind() byte     { return h[1] }
func (h *header) flags() uint16  { return binary.BigEndian.Uint16(h[2:]) }
func (h *header) stream() uint32 { return binary.BigEndian.Uint32(h[4:]) }
func (h *header) length() uint32 { return binary.BigEndian.Uint32(h[8:]) }

// frameWriter writes whole frames. It serializes the goroutines that write. Its methods block
// as long as the connection does, and fail only with the connection.
type frameWriter struct {
	mu     sync.Mutex
	conn   Conn
	header header // of the frame that is being written
}

// fill writes a data frame of up to n bytes that put makes; none if it makes none.
func (f *frameWriter) fill(stream uint32, n int, put func(b []byte) int) (made int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err = f.conn.Fill(min(n, minFrame), n, func(b []byte) int {
		made = put(b)
		return made
	}, func(n int) []byte {
		f.header = newHeader(typeData, 0, stream, uint32(n))
		return f.header[:]
	})
	return made, err
}

// frame writes one frame.
func (f *frameWriter) frame(h header, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = h
	_, err := f.conn.WriteParts(f.header[:], body)
	return err
}

// later writes one short frame that may wait a little for other bytes.
func (f *frameWriter) later(h header, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = h
	_, err := f.conn.WriteLater(append(f.header[:], body...))
	return err
}

// last writes the FIN of a stream, and notes whether the connection has taken it.
func (f *frameWriter) last(s *Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = s.finFrame()
	_, err := f.conn.WriteParts(f.header[:], nil)
	s.ended = err == nil
	return err
}

// frames writes frames that are joined already.
func (f *frameWriter) frames(b []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.conn.WriteParts(b, nil)
	return err
}
