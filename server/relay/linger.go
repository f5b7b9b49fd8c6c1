package relay

import (
	"context"
	"errors"
	"time"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// lingerTime is how long a target may go on sending after the client has closed its socket.
	// Until then the relay reads and drops the target's bytes: a system answers a close with
	// unread bytes by a reset, which destroys what the target has not read. A target that goes
	// on to take what the client wrote has this time again.
	lingerTime = 5 * time.Second
	// takeTime is how long a target may take nothing of what a client wrote before it closed its
	// session. Until then the stream holds memory for a client that is gone.
	takeTime = 30 * time.Second
)

// linger waits for the end of copyDown, both FINs being the end of the stream. If the client
// reads no more, the target has lingerTime to end by itself.
func (p *pipe) linger() {
	select {
	case <-p.downEnded:
		return
	case <-p.stream.Stopped():
	case <-p.departed:
	}
	p.whileTaking(context.Background(), p.relay.linger)
	_ = p.conn.SetReadDeadline(time.Now())
	<-p.downEnded
}

// whileTaking returns when copyDown or ctx has ended or the target has taken nothing for a time.
// Bytes that wait for the meter are not the target's fault.
func (p *pipe) whileTaking(ctx context.Context, patience time.Duration) (ended bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for taken := p.taken(); ; {
		select {
		case <-p.downEnded:
			return true
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
		metered := p.metered.Load() // first: what passes the meter is counted before it says so
		now := p.taken()
		if now == taken && !metered {
			return false
		}
		taken = now
		timer.Reset(patience)
	}
}

// progress is how much a target has taken, in two figures of which either may stand still.
type progress struct {
	written      int64  // by the relay
	acknowledged uint64 // by the target's system; 0 if this system does not say
}

func (p *pipe) taken() progress { return progress{p.up.Load(), acknowledged(p.conn)} }

// sessionEnded is called when the session of the stream has ended. After a clean close the
// stream goes on for as long as the target takes what the client wrote.
func (p *pipe) sessionEnded(cause error) {
	if !p.stream.ClosedCleanly() {
		p.cut(cause)
		return
	}
	close(p.departed)
	<-p.answered // the dial has a bound of its own
	if p.conn == nil || p.whileTaking(p.relay.Outlives, p.relay.takeTime) {
		return
	}
	if p.relay.Outlives.Err() != nil {
		p.cut(context.Cause(p.relay.Outlives))
		return
	}
	p.abort(wire.TimedOut, errTakesNothing)
}

// errTakesNothing is the reason when a target does not take the last bytes of a client.
var errTakesNothing = errors.New("the target takes nothing of what the client wrote before it closed its session")

// cut ends the stream at once, whatever it is doing.
func (p *pipe) cut(cause error) {
	p.endLife(cause)
	<-p.answered
	if p.conn == nil {
		return
	}
	var refused *limit.Refused
	if errors.As(cause, &refused) {
		p.refuse(refused)
		return
	}
	p.abort(codeOf(cause), cause)
}
