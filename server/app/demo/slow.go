package demo

import (
	"golang.org/x/time/rate"
)

const (
	slowRate   = 1_000_000 // bytes each second
	slowChunk  = 16 << 10
	slowBuffer = 64 << 10 // of the system: a large one would take everything at once and only then be slow
)

// serveSlow reads 1 MB/s to the client's end.
func serveSlow(d *Demo, c *client) {
	_ = c.conn.SetReadBuffer(slowBuffer)
	limiter := rate.NewLimiter(slowRate, slowChunk)
	chunk := make([]byte, slowChunk)
	for {
		n, err := c.Read(chunk)
		if err != nil || limiter.WaitN(d.ctx, n) != nil {
			return
		}
	}
}
