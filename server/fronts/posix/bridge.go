package posix

import (
	"context"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// maxWaiting is how many calls of a program may wait at once. Each of its threads has one
	// at most.
	maxWaiting = 1024
	// maxWaitingBytes bounds the data of the calls that wait.
	maxWaitingBytes = 16 << 20
	// callCost is what is counted for a call that waits, beside its data.
	callCost = 8 << 10
	// cutDelay is how long a call may still be on its way that was sent before one without
	// its number.
	cutDelay = 100 * time.Millisecond
)

// bridge runs the calls of one program. The goroutine that receives them answers those that need
// not wait, and never waits for a call. Where the program takes no results, it waits for the
// program.
type bridge struct {
	tunnel  *local.Tunnel
	in, out *budget.Account // of what programs send, and of what is for them
	sockets *handles
	names   names
	life    context.Context // of calls
	endLife context.CancelFunc
	results *results

	tasks sync.WaitGroup // what calls leave behind

	mu           sync.Mutex
	order        order
	waiting      int // calls
	waitingBytes int
	ended        bool
	none         chan struct{} // closed when ended and no call waits
}

// newBridge returns a bridge whose results go to send. failed is called when that has failed.
func newBridge(tunnel *local.Tunnel, in, out *budget.Account, send func(messages ...[]byte) error, failed func()) *bridge {
	b := &bridge{
		tunnel: tunnel, in: in, out: out, sockets: newHandles(),
		results: newResults(out, send, failed), none: make(chan struct{}),
	}
	b.life, b.endLife = context.WithCancel(context.Background()) // until end
	return b
}

// begin takes a call that may wait and holds n bytes. ok is false if there are too many, or
// too much memory is held.
func (b *bridge) begin(n int) (ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended || b.waiting >= maxWaiting || b.waiting > 0 && b.waitingBytes+n > maxWaitingBytes || b.in.Over() {
		return false
	}
	b.waiting++
	b.waitingBytes += n
	b.in.Hold(callCost + n)
	return true
}

func (b *bridge) done(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
	b.waitingBytes -= n
	b.in.Hold(-callCost - n)
	if b.ended && b.waiting == 0 {
		close(b.none)
	}
}

// end lets no more calls begin, and ends those that wait for anything but their streams.
func (b *bridge) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	b.ended = true
	b.endLife()
	if b.waiting == 0 {
		close(b.none)
	}
}

// close closes all sockets. It returns when every call has ended, whose results were taken.
// The tunnel has ended.
func (b *bridge) close() {
	b.sockets.close()
	<-b.none
	b.tasks.Wait()
}

// answer passes a result on. It blocks while many wait for the network.
func (b *bridge) answer(message []byte) { b.results.answer(result{message: message}) }

// take takes a message of the program, which is the caller's again when take has returned. cut says
// that only its beginning was kept.
func (b *bridge) take(message []byte, cut bool) {
	switch function := cutFunction(message); {
	case len(message) < 4:
		b.afterDelay(b.answerLost)
		return
	case len(message) < calls.HeaderSize:
		call, _ := calls.Decode(message, false) // the id alone is there
		b.saw(call.ID)
		b.answer(calls.Failure(call.ID, 0, eOpNotSupp))
		return
	case function != 0 && len(message) < cutSize:
		message = completed(message)
	}
	call, err := calls.Decode(message, cut)
	b.saw(call.ID)
	if err != nil {
		e := errno(wire.EINVAL)
		if cutFunction(message) != 0 {
			e = eOpNotSupp // what is missing is the handle
		}
		b.answer(failure(call, e))
		return
	}
	b.run(call)
}

func (b *bridge) saw(id int32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.order.saw(id)
}

// cutSize is the length of a Getsockname or Getpeername that is whole.
const cutSize = calls.HeaderSize + 8

// cutFunction returns the function of a message that may be cut; 0 if it is none.
func cutFunction(message []byte) calls.Function {
	if len(message) < calls.HeaderSize {
		return 0
	}
	switch function := calls.FunctionOf(message); function {
	case calls.Getsockname, calls.Getpeername:
		return function
	}
	return 0
}

// completed adds what a cut message lacks, if the handle is there: the length of the address,
// which is 240 more than that of the message.
func completed(message []byte) []byte {
	if len(message) < cutSize-4 {
		return message
	}
	length := byte(len(message) + 240)
	return append(append([]byte(nil), message[:cutSize-4]...), length, 0, 0, 0)
}

// answerLost answers the call of a message without a number: there is nothing to say which of
// its sockets the program means.
func (b *bridge) answerLost() {
	b.mu.Lock()
	id := b.order.lost()
	b.mu.Unlock()
	b.answer(calls.Failure(id, calls.Getsockname, eOpNotSupp))
}

// afterDelay calls f when calls that were sent before have come.
func (b *bridge) afterDelay(f func()) {
	if !b.begin(0) {
		f()
		return
	}
	go func() { // close waits for it
		defer b.done(0)
		timer := time.NewTimer(cutDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-b.life.Done():
		}
		f()
	}()
}

// failure is a result that says why there is none.
func failure(call calls.Call, e errno) []byte {
	if call.Function == calls.Getaddrinfo {
		return calls.LookupFailure(call.ID, eaiSystem, e)
	}
	return calls.Failure(call.ID, call.Function, e)
}
