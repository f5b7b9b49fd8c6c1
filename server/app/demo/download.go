package demo

import (
	"fmt"
	"strconv"
)

// maxDownload is what one line can ask for: enough to measure the fastest line, little
// enough to end.
const maxDownload = 1 << 30

// pattern is the period of a download: byte i is i mod 251. It is prime, so a block that
// is lost, doubled or moved shows.
const pattern = 251

// serveDownload reads a line with a number of bytes and sends that many.
func serveDownload(_ *Demo, c *client) {
	text, err := c.line()
	if err != nil {
		return
	}
	left, err := strconv.ParseInt(text, 10, 64)
	if err != nil || left < 0 || left > maxDownload {
		_, _ = fmt.Fprintf(c, "error: want a line with a number from 0 to %d\n", maxDownload)
		return
	}
	block := make([]byte, 256*pattern)
	for i := range block {
		block[i] = byte(i % pattern)
	}
	for left > 0 {
		n, err := c.Write(block[:min(left, int64(len(block)))])
		if err != nil {
			return
		}
		left -= int64(n)
	}
}
