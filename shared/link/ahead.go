package link

// ahead is how many of the longest messages may wait to be sent. The goroutine that
// sends one is in the system for most of its time, so the one that makes the next would
// often be late.
const ahead = 3

// unsentLimitLocked returns how many unsent bytes make a writer wait. That is one
// message, so that what is written next can still choose its place. The longest messages
// are those of a path that carries one in 3 ms, and only ends that take bare messages
// are fast enough for more.
func (l *Link) unsentLimitLocked() int {
	if l.bare && l.out.most == MaxSegment {
		return ahead * MaxSegment
	}
	return l.out.most
}
