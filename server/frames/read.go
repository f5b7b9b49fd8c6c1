package frames

import (
	"errors"
	"io"
	"os"
	"time"
)

// protocolError is the close code for a server that breaks the protocol (RFC 6455, section 7.4.1).
const protocolError = 1002

// reading is the half of the goroutine that reads.
type reading struct {
	inside bool // a message has begun and not ended
	text   bool // it is a text
	first  bool // nothing of it was read

	left  uint64 // bytes of the frame that are still to come
	final bool   // the frame is the last of its message

	ended error // what Read returns from now on
}

// Read reads a piece of a message into b. It answers pings. Each error is the end: a [*CloseError]
// behind the close frames of both ends, a [*ProtocolError], or that of the connection.
func (c *Conn) Read(b []byte) (n int, piece Piece, err error) {
	if c.in.ended != nil {
		return 0, Piece{}, c.in.ended
	}
	n, piece, err = c.read(b)
	if err != nil {
		c.in.ended = c.endOf(err)
		return 0, Piece{}, c.in.ended
	}
	return n, piece, nil
}

func (c *Conn) read(b []byte) (n int, piece Piece, err error) {
	in := &c.in
	for {
		for in.left == 0 && !(in.inside && in.final) {
			if err := c.next(); err != nil {
				return 0, Piece{}, err
			}
		}
		if in.left > 0 {
			n, err = c.stream.Read(b[:min(uint64(len(b)), in.left)])
			in.left -= uint64(n)
			if err != nil {
				return 0, Piece{}, err
			}
		}
		piece = Piece{Text: in.text, First: in.first, Last: in.final && in.left == 0}
		if n > 0 || piece.Last {
			in.first = false
			in.inside = !piece.Last
			in.final = in.final && in.inside
			return n, piece, nil
		}
	}
}

// next reads the head of the next frame of a message, and all frames before it that are of none.
func (c *Conn) next() error {
	in := &c.in
	for {
		op, final, length, err := c.head()
		switch {
		case err != nil:
			return err
		case op.control():
			if err := c.control(op, int(length)); err != nil {
				return err
			}
			continue
		case op == opContinuation && !in.inside:
			return &ProtocolError{"a continuation frame without a message"}
		case op != opContinuation && in.inside:
			return &ProtocolError{"a message inside another"}
		case op != opContinuation:
			in.inside, in.first, in.text = true, true, op == opText
		}
		in.left, in.final = length, final
		return nil
	}
}

// head reads the head of a frame, and checks what is wrong in any.
func (c *Conn) head() (op opcode, final bool, length uint64, err error) {
	var b [maxHeadSize]byte
	if _, err := io.ReadFull(c.stream, b[:2]); err != nil {
		return 0, false, 0, err
	}
	h, size, err := headOf(b[:2], false)
	if err == nil && size > 2 {
		if _, err = io.ReadFull(c.stream, b[2:size]); err == nil {
			err = h.extend(b[:size])
		}
	}
	return h.op, h.final, h.length, err
}

// control reads the payload of a control frame, and answers it. The error is the end.
func (c *Conn) control(op opcode, length int) error {
	var b [maxControl]byte
	payload := b[:length]
	if _, err := io.ReadFull(c.stream, payload); err != nil {
		return err
	}
	switch op {
	case opPing:
		c.out.answerPing(payload)
	case opClose:
		return c.closedBy(payload)
	}
	return nil
}

// closedBy answers the server's close frame, and waits for the end of the connection.
func (c *Conn) closedBy(payload []byte) error {
	end, err := closeOf(payload)
	if err != nil {
		return err
	}
	c.answerClose(end.Code, end.Reason)
	_ = c.conn.SetReadDeadline(time.Now().Add(endTimeout)) // fails if the connection has ended
	_, _, _, err = c.head()
	var broken *ProtocolError
	switch {
	case errors.As(err, &broken):
		return err
	case err != nil:
		return end
	}
	return &ProtocolError{"a frame behind the close frame"}
}

// endOf returns the error of Read for an end, of which it informs the server if that has broken
// the protocol.
func (c *Conn) endOf(err error) error {
	var broken *ProtocolError
	switch {
	case errors.As(err, &broken):
		c.answerClose(protocolError, broken.Rule)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrUnanswered
	}
	return err
}
