package demo

import "time"

// serveSilent neither reads nor writes. It cannot see the client's end, so it lets go
// after maxHold.
func serveSilent(d *Demo, _ *client) {
	timer := time.NewTimer(maxHold)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.ctx.Done():
	}
}
