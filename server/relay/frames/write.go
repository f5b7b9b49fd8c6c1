package frames

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/message"
)

// bufferSize is what is masked and written at a time: a piece of 64 KiB with its head.
const bufferSize = 64<<10 + maxHeadSize + maskSize // a multiple of the key's length is masked

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Write sends a piece of a message. It keeps b as it is.
func (c *Conn) Write(b []byte, piece Piece) error {
	op := opContinuation
	switch {
	case piece.First && piece.Text:
		op = opText
	case piece.First:
		op = opBinary
	}
	c.out.mu.Lock()
	defer c.release()
	if c.out.closed {
		return ErrClosing
	}
	return c.frame(op, piece.Last, b)
}

// Close sends a close frame, without a code for message.NoCode. Read then returns the server's, or
// ErrUnanswered.
func (c *Conn) Close(code uint16, reason string) error {
	c.out.mu.Lock()
	defer c.release()
	if c.out.closed {
		return ErrClosing
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(closeTimeout)); err != nil {
		return err
	}
	return c.closeFrame(code, reason)
}

// answerClose sends a close frame if none was sent. The server may read nothing any more.
func (c *Conn) answerClose(code uint16, reason string) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(endTimeout)) // fails if the connection has ended
	c.out.mu.Lock()
	defer c.release()
	if !c.out.closed {
		_ = c.closeFrame(code, reason) // likewise
	}
}

// closeFrame sends a close frame. The caller holds mu.
func (c *Conn) closeFrame(code uint16, reason string) error {
	c.out.closed = true
	var payload []byte
	if code != message.NoCode {
		payload = append(binary.BigEndian.AppendUint16(nil, code), reason...)
	}
	return c.frame(opClose, true, payload)
}

// answerPing sends a pong now, or behind the frame that is being written.
func (c *Conn) answerPing(payload []byte) {
	pong := &c.out.pong
	pong.Lock()
	if !c.out.mu.TryLock() {
		pong.waits, pong.payload = true, append(pong.payload[:0], payload...)
		pong.Unlock()
		return
	}
	pong.Unlock()
	c.sendPong(payload)
	c.release()
}

// release frees mu. It sends the pong that waits for that.
func (c *Conn) release() {
	pong := &c.out.pong
	for {
		pong.Lock()
		if !pong.waits {
			c.out.mu.Unlock()
			pong.Unlock()
			return
		}
		payload := append([]byte(nil), pong.payload...)
		pong.waits = false
		pong.Unlock()
		c.sendPong(payload)
	}
}

// sendPong sends a pong. The caller holds mu.
func (c *Conn) sendPong(payload []byte) {
	if !c.out.closed {
		_ = c.frame(opPong, true, payload) // if it fails, the connection has ended: Read finds that
	}
}

// frame sends a frame. The caller holds mu.
func (c *Conn) frame(op opcode, final bool, payload []byte) error {
	buffer := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buffer)
	first := byte(op)
	if final {
		first |= bitFinal
	}
	b := append(buffer[:0], first)
	switch n := len(payload); {
	case n < length16:
		b = append(b, bitMasked|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, bitMasked|length16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bitMasked|length64), uint64(n))
	}
	var key [maskSize]byte
	_, _ = rand.Read(key[:]) // never fails
	b = append(b, key[:]...)
	for {
		n := min(len(payload), (bufferSize-len(b))&^(maskSize-1)) // so that the key begins anew
		masked := b[len(b) : len(b)+n]
		mask(masked, payload[:n], key)
		if _, err := c.stream.Write(b[:len(b)+n]); err != nil {
			return err
		}
		if payload = payload[n:]; len(payload) == 0 {
			return nil
		}
		b = buffer[:0]
	}
}

// mask writes b, masked by the key, to masked, which is as long (RFC 6455, section 5.3).
func mask(masked, b []byte, key [maskSize]byte) {
	word := uint64(binary.LittleEndian.Uint32(key[:]))
	word |= word << 32
	i := 0
	for ; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(masked[i:], binary.LittleEndian.Uint64(b[i:])^word)
	}
	for ; i < len(b); i++ {
		masked[i] = b[i] ^ key[i%maskSize]
	}
}
