package local

import (
	"sync"

	"github.com/sockmux/sockmux/shared/budget"
)

// bufferSizes are those of the buffers of a queue. A queue begins with one that its first bytes fit
// into, goes on to larger ones while it is full, and has none while it is empty. Where the account
// is over, it stays as it is.
var bufferSizes = [...]int{1 << 10, 8 << 10, maxBuffer}

// maxBuffer is how many bytes of one direction wait at most.
const maxBuffer = 64 << 10

var bufferPools [len(bufferSizes)]sync.Pool

// queue is bytes in their order. The zero value is empty. The account that its methods take holds
// the buffer.
type queue struct {
	class    int
	buffer   *[]byte // nil: it is empty
	from, to int     // where its bytes begin and end
}

func (q *queue) empty() bool { return q.from == q.to }

// room returns how many bytes may be put.
func (q *queue) room(memory *budget.Account) int {
	size := bufferSizes[0]
	if q.buffer != nil {
		size = len(*q.buffer)
	}
	if size < maxBuffer && !memory.Over() {
		size = maxBuffer
	}
	return size - (q.to - q.from)
}

// put adds as much of b as there is room for, and returns how much that is.
func (q *queue) put(b []byte, memory *budget.Account) int {
	q.reserve(len(b), memory)
	n := copy((*q.buffer)[q.to:], b)
	q.to += n
	return n
}

// fill adds what put makes in the free part of the buffer, and returns how much that is.
func (q *queue) fill(put func(b []byte) int, memory *budget.Account) int {
	q.reserve(maxBuffer/2, memory)
	free := (*q.buffer)[q.to:]
	if len(free) == 0 { // the account is over since there was room
		return 0
	}
	n := put(free)
	q.to += n
	q.settle(memory)
	return n
}

// take removes bytes from the front.
func (q *queue) take(b []byte, memory *budget.Account) int {
	n := copy(b, (*q.buffer)[q.from:q.to])
	q.from += n
	q.settle(memory)
	return n
}

// drop removes all bytes.
func (q *queue) drop(memory *budget.Account) {
	q.from = q.to
	q.settle(memory)
}

// settle gives the buffer of an empty queue back.
func (q *queue) settle(memory *budget.Account) {
	if q.buffer != nil && q.from == q.to {
		q.change(nil, 0, memory)
		q.from, q.to = 0, 0
	}
}

// reserve makes room for n bytes in a row, or for as many as there may be.
func (q *queue) reserve(n int, memory *budget.Account) {
	if q.buffer != nil && len(*q.buffer)-q.to >= n {
		return
	}
	held, class := q.to-q.from, 0
	if q.buffer != nil {
		class = q.class
	}
	for class < len(bufferSizes)-1 && bufferSizes[class] < held+n && !memory.Over() {
		class++
	}
	if q.buffer != nil && class == q.class {
		copy(*q.buffer, (*q.buffer)[q.from:q.to])
	} else {
		next, _ := bufferPools[class].Get().(*[]byte)
		if next == nil {
			b := make([]byte, bufferSizes[class])
			next = &b
		}
		if q.buffer != nil {
			copy(*next, (*q.buffer)[q.from:q.to])
		}
		q.change(next, class, memory)
	}
	q.from, q.to = 0, held
}

// change puts another buffer in the place of the present one; nil: none.
func (q *queue) change(next *[]byte, class int, memory *budget.Account) {
	n := 0
	if q.buffer != nil {
		n -= len(*q.buffer)
		bufferPools[q.class].Put(q.buffer)
	}
	if next != nil {
		n += len(*next)
	}
	memory.Hold(n)
	q.buffer, q.class = next, class
}
