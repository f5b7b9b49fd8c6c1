package posix

// order knows which calls have not come. A program numbers its calls from 1 on, one by one,
// and sends some of them as a message that does not hold the number (see lost). The zero
// value is that of a program that has sent nothing.
type order struct {
	began bool
	next  int32              // the lowest number that has not come
	above map[int32]struct{} // numbers beyond it that have come
}

// maxAbove bounds what is kept for a program whose numbers have gaps.
const maxAbove = 1024

// saw notes the number of a call that has come.
func (o *order) saw(id int32) {
	if !o.began {
		o.began, o.next, o.above = true, id, make(map[int32]struct{})
	}
	switch distance := id - o.next; { // wraps as the numbers do
	case distance < 0:
		return
	case distance > 0:
		if o.above[id] = struct{}{}; len(o.above) > maxAbove {
			clear(o.above)
			o.next = id + 1
		}
		return
	}
	for o.next++; ; o.next++ {
		if _, came := o.above[o.next]; !came {
			return
		}
		delete(o.above, o.next)
	}
}

// lost returns the number of a call whose message did not hold it: the lowest that has not
// come. Emscripten's getsockname() and getpeername() send 256 bytes less than they mean to,
// so nothing at all for every usual length of an address.
func (o *order) lost() int32 {
	id := int32(1)
	if o.began {
		id = o.next
	}
	o.saw(id)
	return id
}
