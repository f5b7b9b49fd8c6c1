package relay

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/sockmux/sockmux/shared/wire"
)

// copyUp gives the target what the client writes, until the client's FIN, which it passes on,
// or an error. It reads before there is a connection, because only a read shows that the
// client has given up: then it ends the dial.
func (p *pipe) copyUp() {
	var buffer buffer
	defer buffer.put()
	n, err := p.readStream(&buffer)
	if err != nil {
		p.endedUnwritten(err)
	}
	<-p.answered
	if p.conn == nil {
		return
	}
	for {
		if n > 0 && !p.writeUp(buffer.get()[:n]) {
			return
		}
		if err != nil {
			p.endUp(err)
			return
		}
		buffer.used(n)
		n, err = p.readStream(&buffer)
	}
}

// readStream reads what the client writes. It holds the buffer only while there are bytes.
func (p *pipe) readStream(b *buffer) (int, error) {
	b.put()
	p.stream.WaitReadable()
	return p.stream.Read(b.get())
}

// endedUnwritten ends the dial for a client that has written nothing and reads nothing. It
// returns when there is an answer or none is needed.
func (p *pipe) endedUnwritten(err error) {
	if err != io.EOF && !p.stream.ClosedCleanly() {
		p.endLife(&failure{code: wire.Aborted, text: wire.Aborted.Meaning(), err: gone(err)})
		return
	}
	select {
	case <-p.answered:
		return
	case <-p.stream.Stopped():
	case <-p.departed:
	}
	p.endLife(&failure{code: wire.Aborted, text: wire.Aborted.Meaning(), err: errUnused})
}

// errUnused is the reason when a client closes a stream before the answer and has written
// nothing.
var errUnused = errors.New("the client closed the stream before there was a connection")

// writeUp gives the target some bytes. It returns false if that is the end of the direction.
func (p *pipe) writeUp(b []byte) bool {
	p.metered.Store(true)
	if !p.take(nil, len(b)) { // also what a client has written that reads no more is delivered
		return false
	}
	p.idle.touch()
	p.countUp(len(b)) // first: the answer to these bytes must not come before their count
	p.metered.Store(false)
	written, err := 0, p.direct.err
	if err == nil {
		written, err = p.conn.Write(b)
	}
	p.countUp(written - len(b))
	p.idle.touch()
	switch {
	case err == nil:
		return true
	case errors.Is(err, net.ErrClosed): // aborted, with a reason
	default:
		// What the target sent before it died is still to be read: copyDown goes on to the end.
		_ = p.stream.CancelRead(codeOf(err))
		p.noTaker(err)
	}
	return false
}

// endUp tells the target how the client has ended. A client that closed its session has ended
// its streams as close(2) does: what it wrote is delivered, then the FIN.
func (p *pipe) endUp(err error) {
	if err != io.EOF && !p.stream.ClosedCleanly() {
		p.failed.Store(true)
		p.end(goneCode(err), gone(err))
		p.drop()
		return
	}
	p.finSent.Store(true)
	if p.unused() {
		_ = p.conn.Close() // copyDown ends with it
		return
	}
	_ = p.conn.CloseWrite() // fails only if the target is gone, which copyDown finds
	p.linger()
}

// unused reports whether the client has written nothing to a socket and reads nothing. Then there
// is nothing that a close could destroy, so the target sees what close(2) does.
func (p *pipe) unused() bool {
	if _, socket := p.conn.(*net.TCPConn); !socket || p.up.Load() > 0 {
		return false
	}
	select {
	case <-p.stream.Stopped():
		return true
	default:
		return false
	}
}

// gone is the reason when the client has reset the stream or its session was lost.
func gone(err error) error { return fmt.Errorf("the client is gone: %w", err) }

// goneCode is the client's own code if it gave one.
func goneCode(err error) wire.Code {
	if code := codeOf(err); code != wire.Internal {
		return code
	}
	return wire.Aborted
}

// noTaker keeps the error of a write if that is the reason of the end: a target that has sent
// its FIN and closed shows itself in no other way.
func (p *pipe) noTaker(err error) {
	<-p.downEnded
	p.end(codeOf(err), fmt.Errorf("writing to the target: %w", err))
}

// countUp counts bytes that the target has been given.
func (p *pipe) countUp(n int) {
	p.up.Add(int64(n))
	p.relay.live.up.Add(int64(n))
}
