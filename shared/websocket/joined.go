//go:build !js

package websocket

import (
	"encoding/binary"
	"io"
	"net"
)

// The WebSocket library writes a long frame in pieces, each a system call: a server's in two,
// of which the short one wakes the other end too early, and a client's in pieces of 4 KiB,
// because it masks them in its buffer (v1.8.15, Conn.writeFramePayload).
const (
	// serverPiece is the buffer of a server's connection, and so its first piece.
	serverPiece = 512
	// serverHolds and clientHolds are the classes of the buffers that hold pieces.
	serverHolds = 0 // 4 KiB
	clientHolds = 2 // 64 KiB
)

// joined writes the frames of a WebSocket to a connection, and joins the pieces of each. It is
// for one goroutine at a time, as the library writes.
type joined struct {
	to     io.Writer
	vector *net.TCPConn // the same connection; nil: it takes one piece at a time
	class  int          // of the buffer that holds pieces

	due  int     // bytes of the present frame that have not come
	held *[]byte // nil: none are held
	n    int     // how many are
}

// Write implements io.Writer. It may keep a copy of b until the frame is complete.
func (j *joined) Write(b []byte) (int, error) {
	if j.due == 0 {
		j.due = frameLength(b)
	}
	j.due = max(j.due-len(b), 0)
	if j.due == 0 && j.held == nil {
		return j.to.Write(b)
	}
	if err := j.hold(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// hold joins b to what is held, and writes that if the frame or the buffer is full.
func (j *joined) hold(b []byte) error {
	if j.held == nil {
		j.held = takeBuffer(j.class)
	}
	if len(b) <= len(*j.held)-j.n {
		j.n += copy((*j.held)[j.n:], b)
		b = nil
	}
	if j.due > 0 && b == nil && j.n+serverPiece < len(*j.held) {
		return nil
	}
	return j.flush(b)
}

// flush writes what is held, and b behind it.
func (j *joined) flush(b []byte) error {
	held, n := j.held, j.n
	j.held, j.n = nil, 0
	defer giveBuffer(j.class, held)
	if j.vector != nil && len(b) > 0 {
		both := net.Buffers{(*held)[:n], b}
		_, err := both.WriteTo(j.vector)
		return err
	}
	if _, err := j.to.Write((*held)[:n]); err != nil || len(b) == 0 {
		return err
	}
	_, err := j.to.Write(b)
	return err
}

// frameLength returns the length of the frame (RFC 6455, section 5.2) whose first piece is b,
// which holds the header or all of the frame.
func frameLength(b []byte) int {
	const maskBit, twoBytes, eightBytes = 0x80, 126, 127
	if len(b) < 2 {
		return len(b)
	}
	header, size := 2, int(b[1]&^maskBit)
	switch {
	case size == twoBytes && len(b) >= 4:
		header, size = 4, int(binary.BigEndian.Uint16(b[2:]))
	case size == eightBytes && len(b) >= 10:
		header, size = 10, int(binary.BigEndian.Uint64(b[2:]))
	}
	if b[1]&maskBit != 0 {
		header += 4
	}
	return header + size
}
