package mux

import (
	"encoding/binary"
	"io"
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
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

type header []byte

func (h header) kind() byte     { return h[1] }
func (h header) flags() uint16  { return binary.BigEndian.Uint16(h[2:]) }
func (h header) stream() uint32 { return binary.BigEndian.Uint32(h[4:]) }
func (h header) length() uint32 { return binary.BigEndian.Uint32(h[8:]) }

func (h header) setLength(n uint32) { binary.BigEndian.PutUint32(h[8:], n) }

// windowUpdate is the header of a window update.
func windowUpdate(stream, delta uint32) header {
	h := make(header, headerSize)
	h[1] = typeWindowUpdate
	binary.BigEndian.PutUint32(h[4:], stream)
	h.setLength(delta)
	return h
}

// frameReader passes bytes through and tells of each FIN and each window update before yamux sees it: yamux's Read says io.EOF for a FIN and for the end of
// the session alike, and does not tell how much may be written.
type frameReader struct {
	io.Reader
	check    func(header) *wire.Error // what is not to reach yamux
	onBad    func(*wire.Error)        // told once
	onFIN    func(stream uint32)      // also of a stream that was reset by yamux
	onWindow func(stream, delta uint32)

	header [headerSize]byte
	have   int    // bytes of the header so far
	body   uint32 // bytes of the body to come
}

func (f *frameReader) Read(b []byte) (int, error) {
	n, err := f.Reader.Read(b)
	if bad := f.follow(b[:n]); bad != nil {
		f.onBad(bad)
		return 0, bad
	}
	return n, err
}

// follow returns what is wrong with the frames that begin in b, nil for nothing.
func (f *frameReader) follow(b []byte) *wire.Error {
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
			return nil
		}
		f.have = 0
		h := header(f.header[:])
		if bad := f.check(h); bad != nil {
			return bad
		}
		switch {
		case h.kind() == typeData:
			f.body = h.length()
		case h.kind() == typeWindowUpdate && h.length() > 0:
			f.onWindow(h.stream(), h.length())
		}
		if stream := h.kind() == typeData || h.kind() == typeWindowUpdate; stream && h.flags()&(flagFIN|flagRST) != 0 {
			f.onFIN(h.stream())
		}
	}
	return nil
}

// frameWriter takes yamux's frames. It joins the header of a data frame with its body, because yamux writes them separately and each write could become a
// message, and lets onGrant decide how much of a window update is handed on.
type frameWriter struct {
	to      io.Writer
	onGrant func(stream, delta uint32) uint32
	onFrame func(header) // of yamux's own, before it is sent

	mu      sync.Mutex // yamux writes, and so do readers of streams
	pending []byte
}

func (f *frameWriter) Write(b []byte) (int, error) {
	h := header(b)
	if len(b) == headerSize && len(f.pending) == 0 {
		f.onFrame(h)
	}
	switch {
	case len(f.pending) > 0: // only yamux's own goroutine gets here
		both := append(f.pending, b...)
		f.pending = both[:0]
		if err := f.send(both); err != nil {
			return 0, err
		}
	case len(b) == headerSize && h.kind() == typeData && h.length() > 0:
		f.pending = append(f.pending, b...)
	case len(b) == headerSize && h.kind() == typeWindowUpdate && h.length() > 0:
		own := append(header(nil), h...)
		own.setLength(f.onGrant(h.stream(), h.length()))
		if own.length() == 0 && own.flags() == 0 {
			break // nothing is left to say
		}
		if err := f.send(own); err != nil {
			return 0, err
		}
	default:
		if err := f.send(b); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// send writes whole frames.
func (f *frameWriter) send(frames []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, err := f.to.Write(frames)
	return err
}
