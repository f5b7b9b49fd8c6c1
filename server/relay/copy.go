package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/egress"
	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// lingerTime is for how long a target may go on sending after the page has closed its socket. Until then the relay takes its bytes and drops them: to
// close at once would make the system answer with a reset, which destroys what the page wrote and the target has not yet read.
const lingerTime = 5 * time.Second

// pipe is one stream with its connection.
type pipe struct {
	relay   *Relay
	stream  Stream
	request wire.Request
	done    func() // called at the very end
	began   time.Time
	dialled time.Duration // how long resolving and connecting took

	// life ends when both directions are to end at once, and with the dialling when there is nobody to dial for.
	life    context.Context
	endLife context.CancelCauseFunc

	// Set before answered is closed.
	conn      egress.Conn // nil: there is none
	reading   reading     // of conn
	idle      *idle
	lifetime  *idle
	uncancel  func() bool   // ends the watch for the end of the session
	cancelled chan struct{} // closed when that watch has done its work
	remote    netip.AddrPort
	told      netip.AddrPort // the remote address of the answer

	answered  chan struct{} // closed when the page knows whether there is a connection
	upEnded   chan struct{} // closed when copyUp has returned
	downEnded chan struct{} // closed when copyDown has returned

	up, given atomic.Int64 // bytes that the target, the page has been given
	finSent   atomic.Bool  // the target has been given a FIN, or is just about to

	once   sync.Once // the first end is the reason
	ending ending
}

func newPipe(relay *Relay, stream Stream) *pipe {
	return &pipe{
		relay:     relay,
		stream:    stream,
		request:   stream.Request(),
		answered:  make(chan struct{}),
		upEnded:   make(chan struct{}),
		downEnded: make(chan struct{}),
	}
}

// ending is how a stream ended.
type ending struct {
	code wire.Code
	err  error // nil for a clean end
}

// end notes the reason of the stream's end unless there is one already; it tells whether there was none.
func (p *pipe) end(code wire.Code, err error) (first bool) {
	p.once.Do(func() {
		p.ending = ending{code, err}
		first = true
	})
	return first
}

// ended returns the reason; to be called when both directions have ended.
func (p *pipe) ended() ending {
	p.end(wire.OK, nil)
	return p.ending
}

// abort ends both directions at once, towards page and target as a reset.
func (p *pipe) abort(code wire.Code, err error) {
	if p.end(code, err) {
		_ = p.stream.Reset(code, textOrError(err))
	}
	p.drop()
}

// refuse ends a stream that is beyond a limit.
func (p *pipe) refuse(r *limit.Refused) { p.abort(r.Err.Code, r) }

// take waits until the meter lets n bytes pass; it returns false when they must not, and the stream has been ended.
func (p *pipe) take(stop <-chan struct{}, n int) bool {
	if p.relay.meter == nil {
		return true
	}
	err := p.relay.meter.Take(p.life, stop, n)
	if err == nil {
		return true
	}
	if p.life.Err() == nil {
		p.abort(codeOf(err), err)
	} // else whoever ended the life has said why
	return false
}

// textOrError is for reasons that the relay itself gives.
func textOrError(err error) string {
	var own *wire.Error
	if errors.As(err, &own) {
		return own.Text
	}
	return err.Error()
}

// drop closes the connection with a reset, as a system does for a program that dies with bytes unread.
func (p *pipe) drop() {
	p.endLife(nil)
	_ = p.conn.SetLinger(0)
	_ = p.conn.Close()
}

// leave closes the connection as a system does for a program that ends: what was written is delivered. It is for a page that has closed its session.
func (p *pipe) leave() {
	p.endLife(nil)
	_ = p.conn.CloseWrite() // fails only if the target is gone
	_ = p.conn.Close()
}

// copyUp gives the target what the page writes, until the page's FIN, which it passes on, or an error. It begins to read before there is a connection, because
// only so it learns that the page has given up: then it ends the dialling.
func (p *pipe) copyUp() {
	var buffer buffer
	defer buffer.put()
	n, err := p.readStream(&buffer)
	if err != nil && err != io.EOF {
		p.giveUp(err)
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

// readStream reads what the page writes. The buffer is held only where there is something.
func (p *pipe) readStream(b *buffer) (int, error) {
	b.put()
	p.stream.WaitReadable()
	return p.stream.Read(b.get())
}

// giveUp ends the dialling for a page that is gone.
func (p *pipe) giveUp(err error) {
	select {
	case <-p.answered:
	default:
		p.endLife(&failure{code: goneCode(err), text: wire.Aborted.Meaning(), err: gone(err)})
	}
}

// writeUp gives the target some bytes; it returns false where that is the end of the direction.
func (p *pipe) writeUp(b []byte) bool {
	if !p.take(nil, len(b)) { // also what a page has written that reads no more is delivered
		return false
	}
	p.idle.touch()
	written, err := p.conn.Write(b)
	p.up.Add(int64(written))
	p.idle.touch()
	switch {
	case err == nil:
		return true
	case errors.Is(err, net.ErrClosed): // aborted by whoever noted why
	default:
		// What the target sent before it died is still to be read: copyDown goes on and finds the end.
		_ = p.stream.StopRead(codeOf(err))
		p.noTaker(err)
	}
	return false
}

// endUp tells the target how the page has ended.
func (p *pipe) endUp(err error) {
	if err != io.EOF {
		p.end(goneCode(err), gone(err))
		if p.stream.ClosedCleanly() {
			p.leave()
		} else {
			p.drop()
		}
		return
	}
	p.finSent.Store(true)
	_ = p.conn.CloseWrite() // fails only if the target is gone, which copyDown finds
	p.linger()
}

// gone is the reason when the page has reset the stream or its session has ended.
func gone(err error) error { return fmt.Errorf("the page is gone: %w", err) }

// goneCode is the page's own code where it gave one.
func goneCode(err error) wire.Code {
	if code := codeOf(err); code != wire.Internal {
		return code
	}
	return wire.Aborted
}

// noTaker notes that the target took no more, if that is the reason of the end: a target that has sent its FIN and closed is not heard of otherwise.
func (p *pipe) noTaker(err error) {
	<-p.downEnded
	p.end(codeOf(err), fmt.Errorf("writing to the target: %w", err))
}

// linger waits for the end of copyDown, both FINs being the end of the stream. If the page reads no more, the target has lingerTime to end by itself.
func (p *pipe) linger() {
	select {
	case <-p.downEnded:
		return
	case <-p.stream.Stopped():
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(p.relay.linger))
	<-p.downEnded
}

// copyDown gives the page what the target sends, until the target's FIN or reset, which it passes on behind the last byte.
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

// pour reads what there is from the target directly into what is sent, until nothing is there: much of what a fast stream costs are copies. It returns false where the direction has
// ended, and the target's end.
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
			p.given.Add(int64(n))
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

// writeDown gives the page some bytes; it returns false where that is the end of the direction.
func (p *pipe) writeDown(b []byte) bool {
	if !p.take(p.stream.Stopped(), len(b)) {
		return false
	}
	p.idle.touch()
	written, err := p.stream.Write(b)
	p.given.Add(int64(written))
	p.idle.touch()
	if err != nil {
		p.discard(b[:cap(b)])
		return false
	}
	return true
}

// endDown tells the page how the target has ended.
func (p *pipe) endDown(err error) {
	if err == io.EOF && p.wasReset() {
		err = errSilentReset
	}
	switch {
	case err == io.EOF:
		_ = p.stream.CloseWrite() // fails only if the page is gone, which copyUp finds
	case errors.Is(err, net.ErrClosed): // aborted by whoever noted why
	case errors.Is(err, os.ErrDeadlineExceeded): // linger: the page has read all it wants
	default:
		code := codeOf(err)
		if p.end(code, fmt.Errorf("reading from the target: %w", err)) {
			_ = p.stream.Reset(code, fmt.Sprintf("%s: %s", p.request.Target(), code.Meaning()))
		}
	}
}

// errSilentReset stands for the error that a write has consumed.
var errSilentReset = &failure{code: wire.Reset, text: wire.Reset.Meaning(), err: errors.New("connection reset by peer")}

// wasReset tells an end of the target's bytes from a reset whose error a write of the other direction has already been given: a system reports it once, then the
// connection just reads as ended. A connection that neither end has finished but has no peer any more was reset.
func (p *pipe) wasReset() bool {
	return peerGone(p.conn) && !p.finSent.Load()
}

// discard takes what the target sends, because the page reads no more but may still write. It ends with the target, or lingerTime after the page's FIN.
func (p *pipe) discard(buffer []byte) {
	for {
		if _, err := p.conn.Read(buffer); err != nil {
			return
		}
	}
}
