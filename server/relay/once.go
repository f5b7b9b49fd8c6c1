package relay

import (
	"context"
	"fmt"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// answerOnce ends a stream whose kind is a question: with what it carries behind a result that
// is ok, or with the reason why there is none.
func (p *pipe) answerOnce(answer []byte, err error) {
	p.dialed = time.Since(p.began)
	if err != nil {
		p.turnedAway(err)
		return
	}
	p.reportAnswer(wire.OK, nil)
	if err := p.stream.Reply(wire.Result{}); err != nil {
		p.abort(codeOf(err), fmt.Errorf("answering: %w", err))
	}
	close(p.answered)
	p.tell(answer)
	_ = p.stream.Close() // copyUp ends with it
	p.over()
}

// errNotTaken is the reason when a client does not take the answer that it has asked for.
var errNotTaken = &wire.Error{Code: wire.TimedOut, Text: "the client does not take the answer"}

// tell writes an answer. The client may let it wait for no longer than a dial takes.
func (p *pipe) tell(answer []byte) {
	timer := time.AfterFunc(p.relay.DialTimeout, func() { p.endLife(errNotTaken) })
	defer timer.Stop()
	stop := context.AfterFunc(p.life, func() { p.abort(codeOf(context.Cause(p.life)), context.Cause(p.life)) })
	defer stop()
	if !p.take(p.stream.Stopped(), len(answer)) {
		return
	}
	if n, err := p.stream.Write(answer); err == nil {
		p.countDown(n)
		_ = p.stream.CloseWrite() // fails only if the client is gone
	}
}
