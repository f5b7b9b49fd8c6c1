package mux

import (
	"encoding/binary"
	"io"
	"sync"
)

// A yamux frame's header (yamux spec.md, "Framing"): version, type, u16 flags, u32 stream, u32 length.
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

// frameWriter writes whole frames, one goroutine's after the other's.
type frameWriter struct {
	mu     sync.Mutex
	to     io.Writer
	parts  partsWriter // nil: to takes one slice at a time
	header header      // of the frame that is being written
	joined []byte      // where there is no parts
}

// partsWriter is a connection that takes a frame's header and body as one write, without their being joined before.
type partsWriter interface {
	WriteParts(first, second []byte) (int, error)
}

// filler is a connection that lends memory for what is to be written.
type filler interface {
	Fill(least, most int, put func(b []byte) int) error
	// Bare returns how many bytes one bare message should carry at present; 0: none is to be sent.
	Bare() int
	// FillBare is Fill for bytes that may travel as a bare message, behind what head returns for their number.
	FillBare(most int, put func(b []byte) int, head func(n int) []byte) error
}

// fill writes a data frame of up to n bytes that put makes; none if it makes none. The bytes may be a bare message.
func (f *frameWriter) fill(to filler, stream uint32, n int, bare bool, put func(b []byte) int) (made int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bare {
		err = to.FillBare(n, func(b []byte) int {
			made = put(b)
			return made
		}, func(n int) []byte {
			f.header = newHeader(typeData, 0, stream, uint32(n))
			return f.header[:]
		})
		return made, err
	}
	err = to.Fill(headerSize+min(n, minFrame), headerSize+n, func(b []byte) int {
		if made = put(b[headerSize:]); made == 0 {
			return 0
		}
		h := newHeader(typeData, 0, stream, uint32(made))
		return copy(b, h[:]) + made
	})
	return made, err
}

func newFrameWriter(to io.Writer) *frameWriter {
	parts, _ := to.(partsWriter)
	return &frameWriter{to: to, parts: parts}
}

// frame writes one frame; it may wait as long as the connection does. It fails only with the connection.
func (f *frameWriter) frame(h header, body []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = h
	return f.sendLocked(f.header[:], body)
}

// laterWriter is a connection that takes bytes which may wait a little for what else is to be sent.
type laterWriter interface {
	WriteLater(b []byte) (int, error)
}

// later writes one frame without a body that nobody waits for.
func (f *frameWriter) later(h header) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header = h
	if to, ok := f.to.(laterWriter); ok {
		_, err := to.WriteLater(f.header[:])
		return err
	}
	return f.sendLocked(f.header[:], nil)
}

// frames writes frames that are joined already.
func (f *frameWriter) frames(b []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sendLocked(b, nil)
}

func (f *frameWriter) sendLocked(first, second []byte) (err error) {
	switch {
	case len(second) == 0:
		_, err = f.to.Write(first)
	case f.parts != nil:
		_, err = f.parts.WriteParts(first, second)
	default:
		f.joined = append(append(f.joined[:0], first...), second...)
		_, err = f.to.Write(f.joined)
	}
	return err
}
