package notsentlowat

import "math/bits"

const (
	// least keeps the line full at 100 Mbit/s and 10 ms; measured under a bulk download
	// it took an echo from 380 to 100 ms.
	least = 128 << 10
	// most is what the longest messages of a link (512 KiB) need.
	most = 2 << 20
	// messages is how many of the length that is being sent may be unsent. Where the
	// system takes less than a message at once, each costs several rounds of a part that
	// is taken and a wait for room. Measured with messages of 512 KiB, one brought half
	// to all of what four did. A message of a link stands for 1 ms of the line's time, of
	// fast lines for 3 (shared/congestion), and its window bounds what is on the way at
	// all.
	messages = 4
)

// rule decides the limit of a connection by the messages that are sent over it: it rises
// with the first that needs more, and falls when as much as it allows has been sent in
// messages that need less. What is sent between longer messages, such as
// acknowledgements, thus changes nothing, and there are at most two changes for each such
// amount.
type rule struct {
	limit  int // at present
	needed int // the most that messages have needed since the last that needed all of limit
	passed int // bytes of these messages
}

func newRule() rule { return rule{limit: least, needed: least} }

// next takes the length of the message that comes next and reports whether limit has
// changed for it.
func (r *rule) next(length int) bool {
	needs := needed(length)
	if needs >= r.limit {
		rises := needs > r.limit
		r.limit, r.needed, r.passed = needs, least, 0
		return rises
	}
	r.needed = max(r.needed, needs)
	if r.passed += length; r.passed < r.limit {
		return false
	}
	r.limit, r.needed, r.passed = r.needed, least, 0
	return true
}

// needed is a power of two, so that lengths which differ little need the same.
func needed(length int) int {
	n := min(max(messages*length, least), most)
	return 1 << bits.Len(uint(n-1))
}
