package frames

import (
	"time"
)

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
	defer c.out.release()
	if c.out.closed {
		return ErrClosing
	}
	return c.out.frame(op, piece.Last, b)
}

// Close sends a close frame, without a code for message.NoCode. Read then returns the server's, or
// ErrUnanswered.
func (c *Conn) Close(code uint16, reason string) error {
	c.out.mu.Lock()
	defer c.out.release()
	if c.out.closed {
		return ErrClosing
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(closeTimeout)); err != nil {
		return err
	}
	return c.out.closeFrame(code, reason)
}

// answerClose sends a close frame if none was sent. The server may read nothing any more.
func (c *Conn) answerClose(code uint16, reason string) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(endTimeout)) // fails if the connection has ended
	c.out.mu.Lock()
	defer c.out.release()
	if !c.out.closed {
		_ = c.out.closeFrame(code, reason) // likewise
	}
}
