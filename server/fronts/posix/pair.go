package posix

import (
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// pair implements socketpair: two ends in this process, which reach no network.
func (b *bridge) pair(call calls.Call) []byte {
	kind := call.Type &^ (typeNonblock | typeCloexec)
	switch {
	case call.Domain == calls.AFInet || call.Domain == calls.AFInet6:
		return failure(call, eOpNotSupp) // Linux's
	case call.Domain != calls.AFUnix:
		return failure(call, wire.EAFNOSUPPORT)
	case call.Protocol != 0 && call.Protocol != calls.AFUnix:
		return failure(call, eProtoNoSupport)
	case kind != typeStream:
		return failure(call, eSockTNoSupport)
	}
	first, second := newPipe(b), newPipe(b)
	end := func(in, out *pipe) *stream {
		return b.newConnected(calls.AFUnix, 0, &pairEnd{in, out}, netip.AddrPort{}, netip.AddrPort{})
	}
	ends := [2]*stream{end(first, second), end(second, first)}
	var fds [2]int32
	for i, end := range ends {
		fd, ok := b.sockets.add(end)
		if !ok {
			b.sockets.remove(fds[0])
			ends[0].close()
			ends[1].close()
			return failure(call, wire.EMFILE)
		}
		fds[i] = fd
	}
	return calls.Result(call.ID, 0, 0, calls.Pair(fds[0], fds[1]))
}

// pairBuffer is how many bytes wait in each direction of a pair at most.
const pairBuffer = 64 << 10

// pipe is one direction of a pair.
type pipe struct {
	bridge *bridge

	mu       sync.Mutex
	readable sync.Cond
	writable sync.Cond
	buffer   []byte
	finished bool // nothing is written any more
	dropped  bool // nothing is read any more
	readBy   deadline.Deadline
	writeBy  deadline.Deadline
}

func newPipe(b *bridge) *pipe {
	p := &pipe{bridge: b}
	p.readable.L, p.writable.L = &p.mu, &p.mu
	return p
}

// pairEnd is one end of a pair, a byteStream.
type pairEnd struct{ in, out *pipe }

var _ byteStream = (*pairEnd)(nil)

func (e *pairEnd) Read(b []byte) (int, error) {
	p := e.in
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.readBy.Passed():
			return 0, mux.ErrDeadline
		case p.dropped:
			return 0, closed.Err
		case len(p.buffer) > 0:
			n := copy(b, p.buffer)
			p.bridge.in.Hold(-n)
			if p.buffer = p.buffer[n:]; len(p.buffer) == 0 {
				p.buffer = nil
			}
			p.writable.Broadcast()
			return n, nil
		case p.finished:
			return 0, io.EOF
		}
		p.readable.Wait()
	}
}

func (e *pairEnd) Write(b []byte) (n int, err error) {
	p := e.out
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.finished, p.dropped:
			return n, closed.Err // a program gets EPIPE
		case len(b) == 0:
			return n, nil
		}
		if m := min(len(b), pairBuffer-len(p.buffer)); m > 0 {
			p.putLocked(b[:m])
			n, b = n+m, b[m:]
			continue
		}
		if p.writeBy.Passed() {
			return n, mux.ErrDeadline
		}
		p.writable.Wait()
	}
}

func (e *pairEnd) WaitReadable() {
	p := e.in
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.readableLocked() && !p.readBy.Passed() {
		p.readable.Wait()
	}
}

func (e *pairEnd) Readable() bool {
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	return e.in.readableLocked()
}

func (p *pipe) readableLocked() bool { return len(p.buffer) > 0 || p.finished || p.dropped }

// putLocked adds bytes that there is room for.
func (p *pipe) putLocked(b []byte) {
	p.bridge.in.Hold(len(b))
	p.buffer = append(p.buffer, b...)
	p.readable.Broadcast()
}

// WriteNow is that of a stream.
func (e *pairEnd) WriteNow(b []byte) int {
	p := e.out
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(len(b), pairBuffer-len(p.buffer))
	if p.finished || p.dropped || n == 0 {
		return 0
	}
	p.putLocked(b[:n])
	return n
}

func (e *pairEnd) SetReadDeadline(t time.Time) {
	p := e.in
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readBy.Set(t, &p.mu, p.readable.Broadcast)
}

func (e *pairEnd) SetWriteDeadline(t time.Time) {
	p := e.out
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writeBy.Set(t, &p.mu, p.writable.Broadcast)
}

func (e *pairEnd) CloseWrite() error {
	e.out.end(true, false)
	return nil
}

func (e *pairEnd) CancelRead(wire.Code) error {
	e.in.end(false, true)
	return nil
}

func (e *pairEnd) Reset(wire.Code, string) error { return e.Close() }

func (e *pairEnd) Close() error {
	e.out.end(true, false)
	e.in.end(false, true)
	return nil
}

func (e *pairEnd) SetSocketOptions(wire.SocketOptions) {}

func (p *pipe) end(finished, dropped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished, p.dropped = p.finished || finished, p.dropped || dropped
	if p.dropped {
		p.bridge.in.Hold(-len(p.buffer))
		p.buffer = nil
	}
	p.readable.Broadcast()
	p.writable.Broadcast()
}
