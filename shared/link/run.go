package link

import (
	"context"
	"errors"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// Run drives the link over a carrier until the carrier is lost or the link ends, then
// closes the carrier and returns why: an ErrLost, the context's error, or what Err gives.
// peerReceived is what the other end said to have received: 0 on the first carrier. Only
// one Run may be active; after an ErrLost the owner calls it again with the next carrier.
func (l *Link) Run(ctx context.Context, c Carrier, peerReceived uint64) error {
	if err := l.begin(peerReceived); err != nil {
		l.tell(c, err)
		_ = c.Close(err.Code.CloseCode(), err.Text) // as below
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ctx, l.interrupt)
	defer stop()
	received := make(chan struct{})
	go func() { // ends with its carrier or context; awaited below
		defer close(received)
		cancel(l.receive(ctx, c))
	}()
	watchdog := l.watch(cancel)
	err := l.send(ctx, c)
	watchdog.stop()
	if errors.Is(err, ErrLost) && ctx.Err() == nil {
		// The last messages may be there already, a CLOSE among them.
		last := time.NewTimer(lastMessages)
		defer last.Stop()
		select {
		case <-received:
		case <-last.C:
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause // the receiver or the watchdog knew first
	}
	l.tell(c, err)
	code, text := closing(err)
	_ = c.Close(code, text) // the reason is in err; a carrier that cannot even close has nothing to add
	cancel(err)             // only now: a canceled Receive may cut the closing carrier short
	<-received
	l.mu.Lock()
	l.running, l.watchdog, l.confirm = false, nil, nil
	if l.ended == nil {
		l.doubtLocked()
	}
	l.mu.Unlock()
	return err
}

const (
	// patience is how many runs in a row may be lost with a message under way that is
	// longer than all that ever arrived, before messages become shorter. One or two are
	// bad luck.
	patience = 3
	// leastMessage is what every proxy passes.
	leastMessage = 4 << 10
	// shorter is by how much where nothing has arrived: 64, 16 and 4 KiB.
	shorter = 4
	// trusted is how much a run must have delivered for longer messages to be tried again.
	trusted = 1 << 20
)

// doubtLocked looks at a run that is over while the link is not: a proxy that passes no
// long messages cuts each carrier at the first of them.
func (l *Link) doubtLocked() {
	longest := l.out.longestInFlight()
	if longest <= l.out.passed {
		l.stuck = 0
		if l.out.acked-l.from >= trusted {
			l.out.limit = min(l.out.limit*shorter, MaxSegment)
		}
		return
	}
	if l.stuck++; l.stuck < patience {
		return
	}
	l.stuck = 0
	if l.out.passed > 0 {
		l.out.limit = l.out.passed
	} else {
		l.out.limit = longest / shorter
	}
	l.out.limit = max(l.out.limit, leastMessage-segmentHead)
}

// begin starts a run.
func (l *Link) begin(peerReceived uint64) *wire.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		panic("link: Run called while another Run is active")
	}
	if peerReceived < l.out.acked || peerReceived > l.out.end {
		err := wire.NewError(wire.Protocol, "resume at byte "+decimal.Of(peerReceived)+", outside "+decimal.Of(l.out.acked)+" to "+decimal.Of(l.out.end))
		l.endLocked(err)
		return err
	}
	l.out.rewind(peerReceived)
	l.out.acknowledge(peerReceived)
	l.window.Reset(time.Since(l.began)) // another path, perhaps
	l.shrinkLocked()
	l.out.most = l.window.Message(l.out.limit)
	l.writable.Broadcast()
	l.running, l.from, l.owes = true, peerReceived, false
	l.heard, l.any, l.pinged, l.probe = time.Now(), false, false, 0
	l.asked = false
	l.pongs, l.unacked, l.ackDue, l.later = nil, 0, time.Time{}, 0
	l.stats.Runs++
	l.poke()
	return nil
}

// lastMessages is how long the receiver of a carrier that no longer takes messages may go on.
const lastMessages = time.Second

// tellTimeout is how long a carrier may take for the CLOSE of a link that this end has given up.
const tellTimeout = 2 * time.Second

// tell sends CLOSE where the other end does not know yet why the link has ended.
func (l *Link) tell(c Carrier, err error) {
	var e *wire.Error
	l.mu.Lock()
	told, owes := l.told, l.owes
	l.mu.Unlock()
	if told || owes || !errors.As(err, &e) { // who waits for a bare message would take the CLOSE for it
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTimeout)
	defer cancel()
	_ = c.Send(ctx, wire.Close{Code: e.Code, Text: e.Text}.Append(nil)) // best effort: the link has ended already
}

// interrupt wakes a receiver that waits for the reader when its run has ended.
func (l *Link) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken.Broadcast()
}

// closing gives the WebSocket close code for the end of a run; 0: there is nothing to say
// to a lost carrier.
func closing(err error) (code int, text string) {
	var e *wire.Error
	switch {
	case errors.As(err, &e):
		return e.Code.CloseCode(), e.Text
	case errors.Is(err, closed.Err):
		return wire.OK.CloseCode(), ""
	}
	return 0, "" // lost, or replaced by another
}

// lost makes an ErrLost of what a carrier returned.
func lost(err error) error { return &lostError{err.Error()} }
