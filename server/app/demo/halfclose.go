package demo

import (
	"fmt"
	"io"
)

// serveHalfClose greets, ends its own direction and reads on to the client's end. What it
// read can be asked of half-close-report.
func serveHalfClose(d *Demo, c *client) {
	if _, err := io.WriteString(c, "I have nothing more to say, but I am still listening.\n"); err != nil {
		return
	}
	if err := c.conn.CloseWrite(); err != nil {
		return
	}
	n, err := io.Copy(io.Discard, c)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.halfClose = n
	d.mu.Unlock()
}

// serveHalfCloseReport sends the number of bytes of the half-close connection that ended
// last, of whichever client, as a line; "none" before the first.
func serveHalfCloseReport(d *Demo, c *client) {
	d.mu.Lock()
	n := d.halfClose
	d.mu.Unlock()
	if n < 0 {
		_, _ = io.WriteString(c, "none\n")
		return
	}
	_, _ = fmt.Fprintf(c, "%d\n", n)
}
