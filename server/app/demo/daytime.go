package demo

import (
	"fmt"
	"time"
)

// serveDaytime sends the time as one line and ends (RFC 867, which leaves the format open).
func serveDaytime(_ *Demo, c *client) {
	_, _ = fmt.Fprintf(c, "%s\r\n", time.Now().UTC().Format("Monday, January 2, 2006 15:04:05-MST"))
}
