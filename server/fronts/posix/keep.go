package posix

import (
	"sync"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// maxData is the most data that one send takes. A program that sends more is told how much
// was taken, as by a socket whose buffer is full.
const maxData = 1 << 20

// keptBuffer is for the data of calls that wait.
type keptBuffer [64 << 10]byte

var keptBuffers = sync.Pool{New: func() any { return new(keptBuffer) }}

// leastKept is how much data a call must have to be kept in a buffer of the pool. Shorter data gets
// memory of its own, so that calls that wait hold little more than their data.
const leastKept = 16 << 10

// keep begins a call that may wait, whose message is about to change. The caller calls free when
// the call needs its data no more, and done with n. If ok is false, too many calls wait.
func (b *bridge) keep(call calls.Call) (kept calls.Call, n int, free func(), ok bool) {
	free, n = func() {}, len(call.Data)
	pooled := n >= leastKept && n <= len(keptBuffer{})
	if pooled {
		n = len(keptBuffer{})
	}
	if !b.begin(n) {
		return call, 0, nil, false
	}
	if !pooled {
		return call.Own(nil), n, free, true
	}
	buffer := keptBuffers.Get().(*keptBuffer)
	return call.Own(buffer[:]), n, func() { keptBuffers.Put(buffer) }, true
}
