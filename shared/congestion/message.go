package congestion

import "time"

const (
	// atOnce is how much time on the line one message may take: what stands behind it waits
	// for the whole of it, and what is in it too. Where that is more than roomy bytes it may
	// take more, because there the ends' work for each message is what things wait for.
	atOnce = time.Millisecond
	roomy  = 32 << 10
	// Messages are not smaller than smallest, because each costs both ends its handling. Until
	// the round trip is known they have first: a long one would hide the round trip of a slow
	// path behind its own time on the line.
	smallest = 8 << 10
	first    = 16 << 10
	// A message may take more of the line's time where messages wait long anyway: a part of
	// what they wait beyond twice the target. Busy ends have fewer messages to handle then,
	// and to what stands behind one the difference is small.
	partOfQueue = 6
	// parts is how many messages a window has at least, on a short path and while the rate is
	// looked for. A message that is a part of the window is no burden there, because the path
	// is not what things wait for: pages are, and what they need for a message.
	parts = 4
	// While the rate is looked for messages are not smaller than startSmallest, an eighth of the
	// first window: what has to wait, waits for the window then. A page that has just loaded
	// makes a short path look long, and a message costs it most.
	startSmallest = 32 << 10
	startParts    = 8
)

// Message returns how many bytes one message should carry, at most the number given.
func (w *Window) Message(most int) int {
	if w.base.rtt == 0 {
		return min(first, most)
	}
	rate := w.rate()
	if w.start.active || w.base.rtt <= near {
		rate = max(rate, float64(w.size)/w.base.rtt.Seconds()) // what the window aims at
		most = min(most, max(w.size/parts, first))
	}
	n := max(int(rate*atOnce.Seconds()), smallest)
	if w.start.active {
		n = max(n, min(startSmallest, w.size/startParts))
	}
	if n > roomy {
		n += 3 * (n - roomy)
	}
	if wait := w.queue - 2*target; wait > 0 {
		n = max(n, min(int(rate*wait.Seconds()/partOfQueue), w.size/parts))
	}
	return min(n, most)
}
