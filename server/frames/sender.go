package frames

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"sync"

	"github.com/sockmux/sockmux/shared/message"
)

// sender writes the frames of one end. Frames of the goroutine that reads go in between.
type sender struct {
	to     io.Writer
	vector *net.TCPConn // the same; nil: it takes one part at a time
	masks  bool         // a client's (RFC 6455, section 5.1)

	mu     sync.Mutex // held while frames are written
	closed bool       // a close frame was sent

	between struct {
		sync.Mutex         // held to take or free mu where a frame may wait
		pong       waiting // for the last ping: those before it need no answer (section 5.5.3)
		ping       waiting // the last
	}
}

// waiting is a frame that waits for mu.
type waiting struct {
	waits   bool
	payload []byte
}

// bufferSize is what is masked and written at a time: a piece of 64 KiB with its head.
const bufferSize = 64<<10 + maxHeadSize + maskSize // a multiple of the key's length is masked

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// closeFrame sends a close frame. The caller holds mu.
func (s *sender) closeFrame(code uint16, reason string) error {
	s.closed = true
	var payload []byte
	if code != message.NoCode {
		payload = append(binary.BigEndian.AppendUint16(nil, code), reason...)
	}
	return s.frame(opClose, true, payload)
}

// answerPing sends a pong now, or behind the frames that are being written.
func (s *sender) answerPing(payload []byte) { s.squeeze(&s.between.pong, payload) }

// ping sends a ping, likewise.
func (s *sender) ping(payload []byte) { s.squeeze(&s.between.ping, payload) }

// squeeze sends a frame now, or leaves it to release.
func (s *sender) squeeze(place *waiting, payload []byte) {
	s.between.Lock()
	place.waits, place.payload = true, append(place.payload[:0], payload...)
	free := s.mu.TryLock()
	s.between.Unlock()
	if free {
		s.release()
	}
}

// release frees mu. It sends the frames that wait for that.
func (s *sender) release() {
	for {
		s.between.Lock()
		op, place := opPong, &s.between.pong
		if !place.waits {
			op, place = opPing, &s.between.ping
		}
		if !place.waits {
			s.mu.Unlock()
			s.between.Unlock()
			return
		}
		payload := append([]byte(nil), place.payload...)
		place.waits = false
		s.between.Unlock()
		if !s.closed {
			_ = s.frame(op, true, payload) // if it fails, the connection has ended: reading finds that
		}
	}
}

// leastVector is how long a message must be to be written from where it is, behind its head. A
// shorter one is copied.
const leastVector = 16 << 10

// messages sends messages of bytes, in as few writes as they need. The caller holds mu.
func (s *sender) messages(list [][]byte) error {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	n := 0
	for _, message := range list {
		if n+maxHeadSize+len(message) > len(buffer) && n > 0 {
			if _, err := s.to.Write(buffer[:n]); err != nil {
				return err
			}
			n = 0
		}
		n = len(appendHead(buffer[:n], opBinary, true, len(message), s.masks))
		if len(message) <= len(buffer)-n && (s.vector == nil || len(message) < leastVector) {
			n += copy(buffer[n:], message)
			continue
		}
		if err := s.both(buffer[:n], message); err != nil {
			return err
		}
		n = 0
	}
	if n == 0 {
		return nil
	}
	_, err := s.to.Write(buffer[:n])
	return err
}

// both writes two parts.
func (s *sender) both(first, second []byte) error {
	if s.vector != nil {
		parts := net.Buffers{first, second}
		_, err := parts.WriteTo(s.vector)
		return err
	}
	if _, err := s.to.Write(first); err != nil {
		return err
	}
	_, err := s.to.Write(second)
	return err
}

// frame sends a frame. The caller holds mu.
func (s *sender) frame(op opcode, final bool, payload []byte) error {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	b := appendHead(buffer[:0], op, final, len(payload), s.masks)
	var key [maskSize]byte
	if s.masks {
		_, _ = rand.Read(key[:]) // never fails
		b = append(b, key[:]...)
	}
	for {
		n := min(len(payload), (bufferSize-len(b))&^(maskSize-1)) // so that the key begins anew
		masked := b[len(b) : len(b)+n]
		mask(masked, payload[:n], key)
		if _, err := s.to.Write(b[:len(b)+n]); err != nil {
			return err
		}
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
		b = buffer[:0]
	}
}

// appendHead adds the head of a frame, without the key.
func appendHead(b []byte, op opcode, final bool, length int, masks bool) []byte {
	first, second := byte(op), byte(0)
	if final {
		first |= bitFinal
	}
	if masks {
		second = bitMasked
	}
	switch {
	case length < length16:
		return append(b, first, second|byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, second|length16), uint16(length))
	}
	return binary.BigEndian.AppendUint64(append(b, first, second|length64), uint64(length))
}

// mask writes b, masked by the key, to masked, which is as long (RFC 6455, section 5.3).
func mask(masked, b []byte, key [maskSize]byte) {
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	word |= word << 32
	for len(b) >= 64 {
		from, to := b[:64], masked[:64] // so that the compiler checks no bounds below
		for i := 0; i < 64; i += 8 {
			binary.LittleEndian.PutUint64(to[i:i+8], binary.LittleEndian.Uint64(from[i:i+8])^word)
		}
		b, masked = b[64:], masked[64:]
	}
	for i := range b {
		masked[i] = b[i] ^ key[i%maskSize]
	}
}
