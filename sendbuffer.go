package sockmux

import (
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// batch is how many bytes go to the session at once. As many wait behind them.
	batch = 64 << 10
	// lingerTime is how long the bytes of a closed connection may wait without any progress.
	// A server gives a target that takes nothing as much time.
	lingerTime = 30 * time.Second
)

var batches = sync.Pool{New: func() any { b := make([]byte, 0, batch); return &b }}

// sendBuffer holds what Write has taken and the session has not. Because of it a Write can give
// up at its deadline, which a Write to the session cannot. A goroutine of it runs while there
// are bytes.
type sendBuffer struct {
	to      stream
	tasks   *sync.WaitGroup // of the goroutine
	writing sync.Mutex      // held by write: the bytes of two do not mix

	mu       sync.Mutex
	change   sync.Cond
	waiting  *[]byte // what comes next; nil: nothing
	running  bool    // the goroutine runs
	sent     uint64  // batches that the session has taken
	failed   error   // of the session
	ending   bool    // no more is taken: the direction is to be ended
	ended    bool    // it is ended
	closed   bool
	done     func() // of close
	deadline deadline.Deadline
	linger   *time.Timer
}

func (s *sendBuffer) init(to stream, tasks *sync.WaitGroup) {
	s.to, s.tasks = to, tasks
	s.change.L = &s.mu
}

// write takes bytes, and waits for room until the deadline.
func (s *sendBuffer) write(b []byte) (n int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed:
			return n, net.ErrClosed
		case s.deadline.Passed():
			return n, os.ErrDeadlineExceeded
		case s.failed != nil:
			return n, s.failed
		case s.ending:
			return n, syscall.EPIPE
		case len(b) == 0:
			return n, nil
		}
		if s.waiting == nil {
			s.waiting = batches.Get().(*[]byte)
		}
		if room := batch - len(*s.waiting); room > 0 {
			m := min(room, len(b))
			*s.waiting = append(*s.waiting, b[:m]...)
			n, b = n+m, b[m:]
			s.runLocked()
			continue
		}
		s.change.Wait()
	}
}

// offer takes all of b if there is room now. Otherwise it takes nothing and returns false.
func (s *sendBuffer) offer(b []byte) (taken bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false, net.ErrClosed
	case s.deadline.Passed():
		return false, os.ErrDeadlineExceeded
	case s.failed != nil:
		return false, s.failed
	case s.waiting != nil && len(*s.waiting)+len(b) > batch:
		return false, nil
	}
	if s.waiting == nil {
		s.waiting = batches.Get().(*[]byte)
	}
	*s.waiting = append(*s.waiting, b...)
	s.runLocked()
	return true, nil
}

// finish ends the direction behind what was taken.
func (s *sendBuffer) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.failed != nil:
		return s.failed
	}
	s.ending = true
	s.change.Broadcast()
	s.runLocked()
	return nil
}

// close ends every write, and calls done behind what was taken.
func (s *sendBuffer) close(done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.done = true, done
	s.deadline.Set(time.Time{}, &s.mu, s.change.Broadcast)
	s.change.Broadcast()
	s.lingerLocked()
	s.runLocked()
}

// lingerLocked resets the stream of a closed connection that makes no progress.
func (s *sendBuffer) lingerLocked() {
	before := s.sent
	s.linger = time.AfterFunc(lingerTime, func() {
		s.mu.Lock()
		stuck := s.done != nil && s.sent == before
		if s.done != nil && !stuck {
			s.lingerLocked()
		}
		s.mu.Unlock()
		if stuck {
			_ = s.to.Reset(wire.Aborted, "") // never fails
		}
	})
}

// runLocked starts the goroutine unless it runs.
func (s *sendBuffer) runLocked() {
	if s.running {
		return
	}
	s.running = true
	s.tasks.Go(s.run)
}

// run gives the session what waits, and then does what was to be done behind it.
func (s *sendBuffer) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.waiting != nil:
			s.sendLocked()
		case s.ending && !s.ended:
			s.ended = true
			s.mu.Unlock()
			_ = s.to.CloseWrite() // it fails only where the direction has ended
			s.mu.Lock()
		case s.done != nil:
			done := s.done
			s.done = nil
			s.linger.Stop()
			s.mu.Unlock()
			done()
			s.mu.Lock()
		default:
			s.running = false
			return
		}
	}
}

// sendLocked gives the session the next batch. It unlocks s.mu meanwhile.
func (s *sendBuffer) sendLocked() {
	next := s.waiting
	s.waiting = nil
	s.change.Broadcast()
	if s.failed == nil {
		s.mu.Unlock()
		_, err := s.to.Write(*next)
		s.mu.Lock()
		s.sent++
		s.failed = err
	}
	*next = (*next)[:0]
	batches.Put(next)
	s.change.Broadcast()
}

// setDeadline sets the time from which on write fails. The zero time sets none.
func (s *sendBuffer) setDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline.Set(t, &s.mu, s.change.Broadcast)
}
