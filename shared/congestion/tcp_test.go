package congestion

import "time"

const (
	packet       = 1448
	firstPackets = 10 * packet // RFC 6928
)

// slowStart is TCP's own slow start, below a flow: ten packets in the first round trip, and a
// packet more for each that is acknowledged. What does not fit waits at the sender.
type slowStart struct {
	path    *path
	window  int
	flying  int
	waiting []*written
}

// written is a message that TCP has taken.
type written struct {
	left int // bytes
	then func(passed time.Duration)
}

func (t *slowStart) write(message int, then func(passed time.Duration)) {
	t.waiting = append(t.waiting, &written{message, then})
	t.send()
}

func (t *slowStart) send() {
	for len(t.waiting) > 0 {
		m := t.waiting[0]
		n := min(packet, m.left)
		if t.flying+n > t.window {
			return
		}
		t.flying += n
		passed := t.path.pass(n)
		t.path.at(passed+t.path.delay, func() {
			t.flying -= n
			t.window += n
			t.send()
		})
		if m.left -= n; m.left == 0 {
			t.waiting = t.waiting[1:]
			m.then(passed)
		}
	}
}
