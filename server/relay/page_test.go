package relay

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// window is how much either direction of a page holds before its writer waits.
const window = 256 << 10

// direction is one direction of a stream in memory.
type direction struct {
	buffer  bytes.Buffer
	fin     bool
	err     error // the writer's reset, or the stream's end; given behind what is in buffer
	stopped error // the reader reads no more
}

// page is a Stream with the page's end beside it.
type page struct {
	t       *testing.T
	request wire.Request
	result  chan wire.Result
	stopped chan struct{} // the page has stopped reading

	mu       sync.Mutex
	changed  *sync.Cond
	up, down direction
	closed   bool
	replied  bool
	left     bool // the client has closed its session

	quick  bool             // direct is called
	direct func([]byte) int // nil: there is none yet
	waits  bool             // the relay does, in WaitReadable
}

func newPage(t *testing.T, request wire.Request) *page {
	p := &page{t: t, request: request, result: make(chan wire.Result, 1), stopped: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// change runs under the lock and wakes all that wait.
func (p *page) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	p.changed.Broadcast()
}

// read and write must be called with the lock held.
func (p *page) read(d *direction, to []byte) (int, error) {
	for {
		switch {
		case d.buffer.Len() > 0:
			n, _ := d.buffer.Read(to)
			p.changed.Broadcast()
			return n, nil
		case d.err != nil:
			return 0, d.err
		case d.fin:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *page) write(d *direction, from []byte) (int, error) {
	written := 0
	for len(from) > 0 {
		switch {
		case d.stopped != nil: // the first that the writer was told
			return written, d.stopped
		case d.err != nil:
			return written, d.err
		case d.fin:
			return written, io.ErrClosedPipe
		}
		n := min(window-d.buffer.Len(), len(from))
		if n == 0 {
			p.changed.Wait()
			continue
		}
		d.buffer.Write(from[:n])
		from = from[n:]
		written += n
		p.changed.Broadcast()
	}
	return written, nil
}

// The relay's end.

func (p *page) Request() wire.Request { return p.request }

func (p *page) EachSocketOptions(apply func(wire.SocketOptions)) { apply(p.request.Socket) }

func (p *page) Reply(result wire.Result) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.replied {
		p.t.Error("two replies")
	}
	p.replied = true
	p.result <- result
	return nil
}

func (p *page) Read(to []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read(&p.up, to)
}

func (p *page) Write(from []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.replied {
		p.t.Error("write before the reply")
	}
	return p.write(&p.down, from)
}

func (p *page) WaitReadable() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.up.buffer.Len() == 0 && p.up.err == nil && !p.up.fin {
		p.waits = true
		p.changed.Broadcast()
		p.changed.Wait()
		p.waits = false
	}
}

func (p *page) Direct(write func([]byte) int) { p.change(func() { p.direct = write }) }

func (p *page) Fill(put func([]byte) int) error {
	b := make([]byte, window)
	_, err := p.Write(b[:put(b)])
	return err
}

func (p *page) ClosedCleanly() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.left
}

func (p *page) CloseWrite() error {
	p.change(func() { p.down.fin = true })
	return nil
}

func (p *page) CancelRead(code wire.Code) error {
	p.change(func() { p.up.stopped = wire.NewError(code, "") })
	return nil
}

func (p *page) Reset(code wire.Code, text string) error {
	p.change(func() { p.endLocked(wire.NewError(code, text)) })
	return nil
}

func (p *page) Close() error {
	p.change(func() {
		p.closed = true
		p.down.fin = true
		if p.up.err == nil && !p.up.fin {
			p.up.err = io.ErrClosedPipe
		}
	})
	return nil
}

func (p *page) Stopped() <-chan struct{} { return p.stopped }

func (p *page) endLocked(err error) {
	if p.up.err == nil {
		p.up.err = err
	}
	if p.down.err == nil && !p.down.fin {
		p.down.err = err
	}
}

// The page's end.

func (p *page) send(data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quick && p.direct != nil && p.waits && p.up.buffer.Len() == 0 {
		data = data[p.direct(data):]
	}
	_, err := p.write(&p.up, data)
	return err
}

func (p *page) fin() { p.change(func() { p.up.fin = true }) }

func (p *page) stop() {
	p.change(func() { p.down.stopped = wire.NewError(wire.Aborted, "") })
	close(p.stopped)
}

func (p *page) reset(code wire.Code) {
	p.change(func() {
		err := wire.NewError(code, "")
		p.up.err, p.down.err = err, err
		p.up.buffer.Reset()
		if p.down.stopped == nil {
			p.down.stopped = err
			close(p.stopped)
		}
	})
}

// closeSession is a clean close of the client's session; the caller ends the context.
func (p *page) closeSession() {
	p.change(func() {
		p.left = true
		p.endLocked(wire.NewError(wire.SessionLost, ""))
	})
}

// recv reads n bytes.
func (p *page) recv(n int) string {
	p.t.Helper()
	data := make([]byte, n)
	if _, err := io.ReadFull(reader{p}, data); err != nil {
		p.t.Fatalf("reading %d bytes: %v", n, err)
	}
	return string(data)
}

// recvAll reads to the end; the error is nil behind a FIN.
func (p *page) recvAll() ([]byte, error) { return io.ReadAll(reader{p}) }

type reader struct{ *page }

func (r reader) Read(to []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read(&r.down, to)
}
