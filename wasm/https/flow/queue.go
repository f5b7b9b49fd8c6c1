// Package flow holds the two ends of a direction of bytes between the page and a goroutine: a Queue
// of what has come, and the Credit of what may go.
package flow

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/wasm/memory"
)

// Queue holds bytes that have come for one reader. The sender is bound by what the reader has
// taken. Its other methods never wait.
type Queue struct {
	mu       sync.Mutex
	change   sync.Cond
	pool     *memory.Pool
	taken    func(n int) // called without the lock
	pieces   [][]byte
	at       int // bytes of the first piece that are read
	err      error
	deadline deadline.Deadline
}

// NewQueue returns an empty queue of buffers of the pool. It calls taken with the length of what
// was read, in the reader's goroutine.
func NewQueue(pool *memory.Pool, taken func(n int)) *Queue {
	q := &Queue{pool: pool, taken: taken}
	q.change.L = &q.mu
	return q
}

// Put appends a buffer of the pool, which it owns from now on.
func (q *Queue) Put(b []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err != nil || len(b) == 0 {
		q.pool.Put(b)
		return
	}
	q.pieces = append(q.pieces, b)
	q.change.Broadcast()
}

// End lets Read return err behind what is queued. The first error counts.
func (q *Queue) End(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.change.Broadcast()
}

// Fail lets Read return err at once.
func (q *Queue) Fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err = err
	for _, b := range q.pieces {
		q.pool.Put(b)
	}
	q.pieces, q.at = nil, 0
	q.change.Broadcast()
}

// SetDeadline sets the time from which on Read fails with os.ErrDeadlineExceeded.
func (q *Queue) SetDeadline(t time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline.Set(t, &q.mu, q.change.Broadcast)
	q.change.Broadcast()
}

// Read waits for bytes.
func (q *Queue) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := q.read(p)
	if n > 0 {
		q.taken(n)
	}
	return n, err
}

func (q *Queue) read(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.pieces) == 0 {
		switch {
		case q.err != nil:
			return 0, q.err
		case q.deadline.Passed():
			return 0, os.ErrDeadlineExceeded
		}
		q.change.Wait()
	}
	n := 0
	for n < len(p) && len(q.pieces) > 0 {
		first := q.pieces[0]
		copied := copy(p[n:], first[q.at:])
		n += copied
		if q.at += copied; q.at < len(first) {
			break
		}
		q.pool.Put(first)
		q.pieces[0] = nil
		q.pieces = q.pieces[1:]
		q.at = 0
	}
	return n, nil
}

var _ io.Reader = (*Queue)(nil)
