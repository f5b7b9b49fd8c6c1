package link

import (
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Join lets acknowledgements travel in one message with DATA (docs/PROTOCOL.md, 3.3): the other
// end has said that it knows JOINED. To a page each message costs more than its bytes.
func (l *Link) Join() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.joins = true
}

// joinsLocked reports whether an acknowledgement may be a part of a DATA message. On a path that
// passes no long messages each message is to be as long as it was tried, so there it is none.
func (l *Link) joinsLocked() bool { return l.joins && l.out.limit == MaxSegment }

// acksDueLocked reports whether an acknowledgement is to be sent now.
func (l *Link) acksDueLocked(now time.Time) bool {
	return !l.ackDue.IsZero() && !now.Before(l.ackDue)
}

// ackLocked returns the acknowledgement of all that has come.
func (l *Link) ackLocked(now time.Time) wire.Ack {
	l.unacked, l.ackDue, l.ackSent = 0, time.Time{}, now
	return wire.Ack{Received: l.received, Delay: now.Sub(l.lastSeen)}
}

// joinedLocked returns the acknowledgement that goes with the next DATA message, also before it
// is due; nil if there is none.
func (l *Link) joinedLocked(now time.Time) *wire.Ack {
	if l.ackDue.IsZero() || !l.joinsLocked() {
		return nil
	}
	ack := l.ackLocked(now)
	return &ack
}
