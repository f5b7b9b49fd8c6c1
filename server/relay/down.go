package relay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/sockmux/sockmux/shared/wire"
)

// copyDown gives the client what the target sends, until the target's FIN or reset, which it
// passes on behind the last byte.
func (p *pipe) copyDown() {
	var buffer buffer
	defer buffer.put()
	for {
		n, err := p.reading.read(p.conn, &buffer)
		if n > 0 && !p.writeDown(buffer.get()[:n]) {
			return
		}
		if err == nil && buffer.largest() && n == len(buffer.get()) {
			buffer.put()
			var goes bool
			if goes, err = p.pour(); !goes {
				return
			}
		}
		if err != nil {
			p.endDown(err)
			return
		}
		buffer.used(n)
	}
}

// pour reads what there is from the target directly into what is sent, until nothing is there:
// copies are much of what a fast stream costs. It returns false if the direction has ended, and
// the target's end.
func (p *pipe) pour() (goes bool, end error) {
	if !p.reading.direct() {
		return true, nil
	}
	n := 0
	put := func(b []byte) int {
		n, end = p.reading.now(b)
		return n
	}
	for {
		n = 0
		err := p.stream.Fill(put)
		if n > 0 {
			p.idle.touch()
			p.countDown(n)
		}
		switch {
		case err != nil:
			p.discard(make([]byte, bufferSizes[1]))
			return false, nil
		case n > 0 && !p.take(p.stream.Stopped(), n): // what has been sent is paid before the next
			return false, nil
		case end != nil || n == 0:
			return true, end
		}
	}
}

// writeDown gives the client some bytes. It returns false if that is the end of the direction.
func (p *pipe) writeDown(b []byte) bool {
	if !p.take(p.stream.Stopped(), len(b)) {
		return false
	}
	p.idle.touch()
	p.countDown(len(b)) // first, as in writeUp
	written, err := p.stream.Write(b)
	p.countDown(written - len(b))
	p.idle.touch()
	if err != nil {
		p.discard(b[:cap(b)])
		return false
	}
	return true
}

// endDown tells the client how the target has ended.
func (p *pipe) endDown(err error) {
	if err == io.EOF && p.wasReset() {
		err = errSilentReset
	}
	switch {
	case err == io.EOF:
		p.targetEnded.Store(true)
		_ = p.stream.CloseWrite() // fails only if the client is gone, which copyUp finds
	case errors.Is(err, net.ErrClosed): // aborted, with a reason
	case errors.Is(err, os.ErrDeadlineExceeded): // linger: the client has read all it wants
	default:
		code := codeOf(err)
		p.failed.Store(true)
		if p.end(code, fmt.Errorf("reading from the target: %w", err)) {
			_ = p.stream.Reset(code, p.request.Target()+": "+cmp.Or(textOf(err), code.Meaning()))
		}
	}
}

// errSilentReset stands for the error that a write has consumed.
var errSilentReset = &failure{code: wire.Reset, text: wire.Reset.Meaning(), err: errors.New("connection reset by peer")}

// wasReset reports whether an end of the target's bytes is a reset whose error a write of the
// other direction was given: a system reports a reset once, then the connection reads as ended.
// A connection that neither end has finished but has no peer any more was reset.
func (p *pipe) wasReset() bool {
	return peerGone(p.conn) && !p.finSent.Load()
}

// discard reads and drops what the target sends, because the client reads no more but may still
// write. It ends with the target, or with linger.
func (p *pipe) discard(buffer []byte) {
	for {
		if _, err := p.conn.Read(buffer); err != nil {
			return
		}
	}
}

// countDown counts bytes that the client has been given.
func (p *pipe) countDown(n int) {
	p.given.Add(int64(n))
	p.relay.live.down.Add(int64(n))
}
