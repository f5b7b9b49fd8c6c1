package sockmux

import (
	"io"
	"sync"
	"syscall/js"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// pageReader is the reading half of a stream of the page's. Its methods are those of stream.
type pageReader struct {
	reader  js.Value
	bytesOf func(value js.Value) []byte // returns the bytes of what the reader brings

	mu       sync.Mutex
	change   sync.Cond
	deadline deadline.Deadline
	asked    bool   // a read of the reader is under way
	chunk    []byte // what has come and Read has not returned
	err      error  // why no more comes
}

func (r *pageReader) init(readable js.Value, bytesOf func(js.Value) []byte) {
	r.reader, r.bytesOf = readable.Call("getReader"), bytesOf
	r.change.L = &r.mu
}

// bytesIn copies a Uint8Array.
func bytesIn(array js.Value) []byte {
	b := make([]byte, array.Length())
	js.CopyBytesToGo(b, array)
	return b
}

// Read implements stream.
func (r *pageReader) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.deadline.Passed():
			return 0, mux.ErrDeadline
		case len(r.chunk) > 0:
			n := copy(b, r.chunk)
			r.chunk = r.chunk[n:]
			return n, nil
		case r.err != nil:
			return 0, r.err
		case len(b) == 0:
			return 0, nil
		}
		r.askLocked()
		r.change.Wait()
	}
}

// askLocked asks the reader for the next chunk unless it was asked.
func (r *pageReader) askLocked() {
	if r.asked {
		return
	}
	r.asked = true
	settle(r.reader.Call("read"), func(result js.Value, err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asked = false
		switch {
		case r.err != nil: // of CancelRead
		case err != nil:
			r.err = err
		case result.Get("done").Bool():
			r.err = io.EOF
		default:
			r.chunk = r.bytesOf(result.Get("value")) // nothing is left: it is asked only then
		}
		r.change.Broadcast()
	})
}

// SetReadDeadline implements stream.
func (r *pageReader) SetReadDeadline(t time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deadline.Set(t, &r.mu, r.change.Broadcast)
}

// CancelRead implements stream.
func (r *pageReader) CancelRead(wire.Code) error {
	r.mu.Lock()
	if r.err == nil {
		r.err = closed.Err
	}
	r.chunk = nil
	r.change.Broadcast()
	r.mu.Unlock()
	settle(r.reader.Call("cancel"), func(js.Value, error) {}) // it fails only where the socket has
	return nil
}
