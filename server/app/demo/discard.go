package demo

import "io"

// serveDiscard reads to the client's end and says nothing (RFC 863).
func serveDiscard(_ *Demo, c *client) { _, _ = io.Copy(io.Discard, c) }
