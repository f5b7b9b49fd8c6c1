package demo

import (
	"io"
	"time"
)

// resetDelay is between the line and the reset. A reset at once could arrive before the
// client has learnt that it is connected, and its connect would fail.
const resetDelay = 200 * time.Millisecond

// serveReset sends a line and resets the connection when the client sends something or
// ends, or after resetDelay.
func serveReset(_ *Demo, c *client) {
	if _, err := io.WriteString(c, "This connection will be reset.\n"); err != nil {
		return
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(resetDelay))
	_, _ = c.conn.Read(make([]byte, 1))
	_ = c.conn.SetLinger(0) // close then sends RST in place of FIN
}
