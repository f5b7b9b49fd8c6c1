package posix

import (
	"sync"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/budget"
)

// maxResults is how many results wait for the network before a call waits with them.
const maxResults = 64

// result is the message that answers a call.
type result struct {
	message []byte
	data    *dataBuffer // that message is in; nil: it has memory of its own
}

// dataBuffer is the memory of a result with data.
type dataBuffer [calls.ResultSize + maxRecv]byte

var dataBuffers = sync.Pool{New: func() any { return new(dataBuffer) }}

func (r result) release() {
	if r.data != nil {
		dataBuffers.Put(r.data)
	}
}

// results sends results to the program, in their order. The goroutine that has a result sends it.
// Where another one is sending, it leaves its result, and what waits then is sent at once: so there
// is one write at a time, and a goroutine is woken for it only where results come faster than they
// go.
type results struct {
	out    *budget.Account // of what is for the program
	send   func(messages ...[]byte) error
	failed func() // called when send has failed

	mu      sync.Mutex
	changed sync.Cond // there is room, or nothing is sent any more
	queue   []result
	spare   []result // memory for the queue
	sending bool
	ended   bool // nothing is sent any more
}

func newResults(out *budget.Account, send func(messages ...[]byte) error, failed func()) *results {
	r := &results{out: out, send: send, failed: failed}
	r.changed.L = &r.mu
	return r
}

// answer passes a result on. It blocks while many wait for the network.
func (r *results) answer(one result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) >= maxResults && !r.ended {
		r.changed.Wait()
	}
	if r.ended {
		one.release()
		return
	}
	r.out.Hold(len(one.message))
	r.queue = append(r.queue, one)
	if r.sending {
		return
	}
	r.sending = true
	r.sendLocked()
	if len(r.queue) == 0 {
		r.idleLocked()
		return
	}
	go r.sendAll() // end waits for it
}

// sendAll sends what waits until nothing does: for a goroutine that has sent its own result, and
// has more to do than that.
func (r *results) sendAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 {
		r.sendLocked()
	}
	r.idleLocked()
}

func (r *results) idleLocked() {
	r.sending = false
	r.changed.Broadcast()
}

// sendLocked sends what waits. It frees the lock meanwhile.
func (r *results) sendLocked() {
	batch := r.queue
	r.queue, r.spare = r.spare[:0], nil
	r.changed.Broadcast()
	ended := r.ended
	r.mu.Unlock()
	if !ended {
		var room [8][]byte
		messages := room[:0]
		for _, one := range batch {
			messages = append(messages, one.message)
		}
		if r.send(messages...) != nil {
			r.failed()
			ended = true
		}
	}
	for i, one := range batch {
		r.out.Hold(-len(one.message))
		one.release()
		batch[i] = result{}
	}
	r.mu.Lock()
	r.spare, r.ended = batch, r.ended || ended
}

// end returns when all results that were passed on are sent, or cannot be. Those that follow are
// dropped.
func (r *results) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.sending {
		r.changed.Wait()
	}
	r.ended = true
}
