package oplog

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

// queueSize is how many bytes of lines may wait for a writer that is slow: about 3000 access lines,
// or the burst of a second. Lines beyond are dropped, since a log must not hold up the server.
const queueSize = 1 << 20

// gatherTime is how long lines wait for others after a write: a busy server then writes once for
// many lines. A line that comes to an idle log is written at once.
const gatherTime = time.Millisecond

// Writer is a bounded queue of lines in front of a writer that may block or fail, such as a pipe
// that is not read. It must be closed.
type Writer struct {
	to     io.Writer
	report func(to io.Writer, lost Lost)
	ends   chan struct{} // closed by Close
	done   chan struct{} // closed when run has ended

	mu       sync.Mutex
	news     sync.Cond // queue is not empty, or closed is set
	queue    []byte
	closed   bool
	lost     Lost // since the start
	reported Lost // of lost, what the log tells of
}

// Lost counts lines that were not written.
type Lost struct {
	Queue uint64 // the queue was full
	Write uint64 // writing failed
}

// Lines is the number of all.
func (l Lost) Lines() uint64 { return l.Queue + l.Write }

// NewWriter returns a Writer in front of to. report writes a line of the log's format
// that tells how many lines were lost before it; it is called when the writer works
// again, and may be nil.
func NewWriter(to io.Writer, report func(to io.Writer, lost Lost)) *Writer {
	w := &Writer{to: to, report: report, ends: make(chan struct{}), done: make(chan struct{})}
	w.news.L = &w.mu
	go w.run() // Close waits for it
	return w
}

// Write takes a line and returns at once. It never fails: a line that the queue has no room for is
// dropped and counted. Any number of goroutines may call it, also behind Close, when it drops.
func (w *Writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.queue)+len(line) > queueSize {
		w.lost.Queue++
		return len(line), nil
	}
	w.queue = append(w.queue, line...)
	w.news.Signal()
	return len(line), nil
}

// Lost returns how many lines were lost since the start.
func (w *Writer) Lost() Lost {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Close writes what waits, until ctx ends. A write that is blocked then goes on by itself: there is
// no way to end it.
func (w *Writer) Close(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.ends)
	}
	w.news.Signal()
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
}

// run is the goroutine that writes.
func (w *Writer) run() {
	defer close(w.done)
	var spare []byte
	gather := time.NewTimer(0)
	defer gather.Stop()
	for {
		select {
		case <-gather.C:
		case <-w.ends:
		}
		lines, lost, ok := w.take(spare)
		if !ok {
			return
		}
		if w.tell(lost) {
			w.reportedTo(lost)
		}
		if n, err := w.to.Write(lines); err != nil {
			w.failed(bytes.Count(lines[min(n, len(lines)):], []byte{'\n'}))
		}
		spare = lines[:0]
		gather.Reset(gatherTime)
	}
}

// tell writes the line about lost ones, if there are any. It reports whether that went well.
func (w *Writer) tell(lost Lost) bool {
	if w.report == nil || lost.Lines() == 0 {
		return false
	}
	var line bytes.Buffer
	w.report(&line, lost)
	_, err := w.to.Write(line.Bytes())
	return err == nil
}

// reportedTo notes that the log tells of so many lines more.
func (w *Writer) reportedTo(lost Lost) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reported.Queue += lost.Queue
	w.reported.Write += lost.Write
}

// take waits for lines and returns all of them, and what was lost before that the log does not tell
// of yet. spare is memory for the next lines. It returns false when there are none and the writer
// is closed.
func (w *Writer) take(spare []byte) (lines []byte, lost Lost, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 {
		if w.closed {
			return nil, Lost{}, false
		}
		w.news.Wait()
	}
	lines, w.queue = w.queue, spare
	return lines, Lost{w.lost.Queue - w.reported.Queue, w.lost.Write - w.reported.Write}, true
}

// failed counts lines that could not be written.
func (w *Writer) failed(lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost.Write += uint64(lines)
}
