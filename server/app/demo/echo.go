package demo

import "io"

// serveEcho sends back what it gets (RFC 862). The client's end is sent back too.
func serveEcho(_ *Demo, c *client) { _, _ = io.Copy(c, c) }
