package link

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// send is the goroutine that owns the carrier's outgoing side: it decides what goes next.
func (l *Link) send(ctx context.Context, c Carrier) error {
	sending, release := unhurried(ctx)
	defer release()
	timer := time.NewTimer(0) // the first wait sets it
	defer timer.Stop()
	var set time.Time // when the timer comes; zero: it does not
	for {
		l.gather()
		message, p, behind, wait, err := l.nextMessage(time.Now())
		if err != nil {
			return err
		}
		if message == nil {
			// Timers cost a page more than looking once too often, so one that is early
			// enough is kept.
			if due := time.Now().Add(wait); !set.After(time.Now()) || due.Before(set) {
				set = due
				timer.Reset(wait)
			}
			select {
			case <-l.wake:
			case <-timer.C:
				set = time.Time{}
			case <-l.done:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		last := message[0] == byte(wire.TypeClose)
		err = c.Send(sending, message)
		if err == nil && behind != nil {
			err = c.Send(sending, behind.bytes)
		}
		l.mu.Lock()
		for _, sent := range [...]*segment{p, behind} {
			if sent != nil {
				l.out.release(sent)
			}
		}
		l.owes = behind != nil && err != nil
		l.mu.Unlock()
		if err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return lost(err)
		}
		if last {
			return l.closeSent()
		}
	}
}

// unhurried returns a context for messages that are on their way when ctx ends. Where a
// CLOSE is to follow, in either direction, they have tellTimeout left: to cut a message
// short is to cut the carrier, and the reason with it.
func unhurried(ctx context.Context) (sending context.Context, release func()) {
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	released := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if code, _ := closing(context.Cause(ctx)); code == 0 || released {
			cancel() // no caller waits for a reason
			return
		}
		timer = time.AfterFunc(tellTimeout, cancel)
	})
	return sending, func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		released = true
		if timer != nil {
			timer.Stop()
		}
		cancel()
	}
}

// gathering bounds how often the sender lets others run before it takes what has gathered.
const gathering = 16

// gather lets the layer above go on writing for as long as that makes the next message
// larger. Without this the first frame of a busy stream would be a message, and messages
// are what a browser's WebSocket spends its time on.
func (l *Link) gather() {
	before := 0
	for i := range gathering {
		l.mu.Lock()
		n, most := l.out.unsent(), l.out.most
		if i == 0 && l.joinsLocked() && !l.ackDue.IsZero() && !l.ackDue.After(l.lastSeen) {
			before = -1 // what is written for the bytes that have come goes with their acknowledgement
		}
		l.mu.Unlock()
		if n <= before || n >= most {
			return
		}
		before = n
		runtime.Gosched()
		runtime.Gosched() // a stream that was let in at the gate has not written yet
	}
}

// closeSent ends the link after its CLOSE.
func (l *Link) closeSent() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = true
	err := wire.NewError(l.closing.Code, l.closing.Text)
	l.endLocked(err)
	return err
}

// nextMessage returns what is to be sent now and the bare message behind it, or how long
// nothing is. Segments that come with it must be returned to the outbox.
func (l *Link) nextMessage(now time.Time) (message []byte, p, behind *segment, wait time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended != nil {
		return nil, nil, nil, 0, l.ended
	}
	due := l.acksDueLocked(now)
	if due {
		l.later = 0 // it goes now
	}
	sendable := l.out.unsent() > l.later && l.out.inFlight() < l.window.Size()
	switch silent := now.Sub(l.heard); {
	case len(l.pongs) > 0:
		message = l.pongs[0].Append(nil)
		l.pongs = l.pongs[:0]
	case due && !(sendable && l.joinsLocked()):
		message = l.ackLocked(now).Append(nil)
	case l.confirm != nil && !l.asked, (silent >= l.config.PingAfter || l.probe > 0) && !l.pinged:
		message = l.pingLocked()
	case sendable:
		l.later = 0
		before := l.out.inFlight()
		message, p, behind = l.out.checkout(l.joinedLocked(now))
		inFlight := l.out.inFlight()
		p.mark = l.window.OnSend(now.Sub(l.began), before, inFlight-before, l.out.unsent() == 0 && inFlight < l.window.Size())
		if behind != nil {
			behind.mark = p.mark
			l.stats.MessagesSent++
		}
		l.writable.Signal() // there is room for the next message
	case l.closing != nil && l.out.unsent() == 0:
		message = l.closing.Append(nil)
	default:
		return nil, nil, nil, l.untilNext(now, silent), nil
	}
	l.stats.MessagesSent++
	return message, p, behind, 0, nil
}

// untilNext is how long nothing can become due by time alone.
func (l *Link) untilNext(now time.Time, silent time.Duration) time.Duration {
	wait := l.config.PingAfter
	if !l.pinged {
		wait = min(wait, l.config.PingAfter-silent)
	}
	if !l.ackDue.IsZero() {
		wait = min(wait, l.ackDue.Sub(now))
	}
	return wait
}
