package local

import (
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// half is one direction of a stream: what one end has written and the other has not read. One
// goroutine reads while another writes, and the other methods may be called at any time.
type half struct {
	memory *budget.Account // of the buffer

	mu       sync.Mutex
	readable sync.Cond // bytes have come, or none will
	writable sync.Cond // there is room, or nothing can be written any more
	bytes    queue
	writing  bool              // a write waits for room
	waits    bool              // the reader waits in waitReadable: it has done with all before
	past     func([]byte) int  // takes bytes in place of the reader while it waits; nil: none does
	readBy   deadline.Deadline // of reads
	writeBy  deadline.Deadline // of writes

	finished bool          // the writer has ended it cleanly
	reset    *wire.Error   // the writer has ended it with this, behind the bytes
	refused  *wire.Error   // why the reader takes no more; nil: it does
	unwanted chan struct{} // closed when refused is set; nil: not asked for
	dropped  error         // what a read returns at once
	over     error         // the tunnel has ended
}

func (h *half) init(memory *budget.Account) {
	h.memory = memory
	h.readable.L, h.writable.L = &h.mu, &h.mu
}

// read returns bytes, or why none will come: io.EOF, the reset of the writer, what drop was
// given, or the end of the tunnel.
func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readBy.Passed():
			return 0, mux.ErrDeadline
		case h.dropped != nil:
			return 0, h.dropped
		case !h.bytes.empty():
			n := h.bytes.take(b, h.memory)
			h.writable.Signal()
			return n, nil
		case h.reset != nil:
			return 0, h.reset
		case h.finished:
			return 0, io.EOF
		case h.over != nil:
			return 0, h.over
		case len(b) == 0:
			return 0, nil
		}
		h.readable.Wait()
	}
}

// waitReadable blocks until read would not block.
func (h *half) waitReadable() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.readableLocked() && !h.readBy.Passed() {
		h.waits = true
		h.readable.Wait()
		h.waits = false
	}
}

// direct sets a function that takes bytes in place of the reader, as many as it can without
// waiting.
func (h *half) direct(past func([]byte) int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.past = past
}

func (h *half) isReadable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readableLocked()
}

func (h *half) readableLocked() bool {
	return !h.bytes.empty() || h.dropped != nil || h.reset != nil || h.finished || h.over != nil
}

// write blocks until all of b is in the buffer, or nothing more can be.
func (h *half) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(b) > 0 {
		if err := h.waitRoomLocked(1); err != nil {
			return n, err
		}
		m := h.bytes.put(b, h.memory)
		n, b = n+m, b[m:]
		h.readable.Signal()
	}
	return n, nil
}

// writeNow is write that takes what it can without waiting, and returns how much that is.
func (h *half) writeNow(b []byte) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.endedLocked() != nil {
		return 0
	}
	if h.past != nil && h.waits && h.bytes.empty() {
		n = h.past(b)
	}
	if n < len(b) && h.bytes.room(h.memory) > 0 {
		n += h.bytes.put(b[n:], h.memory)
		h.readable.Signal()
	}
	return n
}

// fill is write of what put makes in the buffer. It waits until half of the buffer is free, so that
// put has room.
func (h *half) fill(put func(b []byte) int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.waitRoomLocked(maxBuffer / 2); err != nil {
		return err
	}
	if h.bytes.fill(put, h.memory) > 0 {
		h.readable.Signal()
	}
	return nil
}

// waitRoomLocked blocks until there is room for n bytes, or for as many as an account that is over
// may hold.
func (h *half) waitRoomLocked(n int) error {
	h.writing = true
	defer func() { h.writing = false }()
	for {
		if err := h.endedLocked(); err != nil {
			return err
		}
		switch {
		case h.bytes.room(h.memory) >= n || h.bytes.empty():
			return nil
		case h.writeBy.Passed():
			return mux.ErrDeadline
		}
		h.writable.Wait()
	}
}

// endedLocked returns why nothing more can be written; nil: it can.
func (h *half) endedLocked() error {
	switch {
	case h.reset != nil:
		return h.reset
	case h.refused != nil:
		return h.refused
	case h.finished:
		return closed.Err
	case h.over != nil:
		return h.over
	}
	return nil
}

// finish ends what is written. It returns why there is nothing to end.
func (h *half) finish() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.finishLocked()
}

func (h *half) finishLocked() error {
	if err := h.endedLocked(); err != nil {
		return err
	}
	h.finished = true
	h.wakeLocked()
	return nil
}

// cut ends what is written with a reset, behind what is in the buffer. It returns false if the
// writer, the reader or the tunnel has ended it before.
func (h *half) cut(err *wire.Error) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cutLocked(err)
}

func (h *half) cutLocked(err *wire.Error) bool {
	if h.finished || h.refused != nil || h.over != nil {
		return false
	}
	if h.reset == nil {
		h.reset = err
		h.wakeLocked()
	}
	return true
}

// leave ends what is written as the end of a program does: with a reset if a write waits, because
// what it has written must not look complete.
func (h *half) leave(err *wire.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writing {
		h.cutLocked(err)
		return
	}
	_ = h.finishLocked() // what has ended in another way stays so
}

// drop ends reading: reads return err, and writes fail with why.
func (h *half) drop(err error, why *wire.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dropped == nil {
		h.dropped = err
	}
	if h.refused == nil {
		h.refused = why
		if h.unwanted != nil {
			close(h.unwanted)
		}
	}
	h.bytes.drop(h.memory)
	h.wakeLocked()
}

// stopped returns a channel that is closed when the reader takes no more.
func (h *half) stopped() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unwanted == nil {
		h.unwanted = make(chan struct{})
		if h.refused != nil {
			close(h.unwanted)
		}
	}
	return h.unwanted
}

// wasReset reports whether the writer has ended it with a reset.
func (h *half) wasReset() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reset != nil
}

// end notes the end of the tunnel. What was not finished before never looks complete.
func (h *half) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = err
	h.wakeLocked()
}

func (h *half) setReadDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readBy.Set(t, &h.mu, h.readable.Broadcast)
}

func (h *half) setWriteDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writeBy.Set(t, &h.mu, h.writable.Broadcast)
}

func (h *half) wakeLocked() {
	h.readable.Broadcast()
	h.writable.Broadcast()
}
