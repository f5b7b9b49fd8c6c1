package link

import (
	"context"
	"errors"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/decimal"
	"github.com/sockmux/sockmux/shared/wire"
)

// receive is the goroutine that owns the carrier's incoming side. It waits for the reader
// of the link with each DATA message, which is safe: the mux's reader never waits for its
// writer, and windows bound what it keeps.
func (l *Link) receive(ctx context.Context, c Carrier) error {
	for {
		message, err := c.Receive(ctx)
		if err != nil {
			if e := (*wire.Error)(nil); errors.As(err, &e) {
				return l.violated(e)
			}
			return lost(err)
		}
		decoded, err := wire.Decode(message)
		if err != nil {
			return l.violated(err.(*wire.Error))
		}
		if err := l.handle(ctx, decoded); err != nil {
			return err
		}
		if pong, ok := decoded.(wire.Pong); ok && pong.Opaque == confirmation {
			l.confirmed()
		}
		if data, ok := decoded.(wire.Data); ok && data.Fore {
			if err := l.receiveBare(ctx, c, data.Offset+uint64(len(data.Payload))); err != nil {
				return err
			}
		}
	}
}

// part is a part of the other end's bytes.
type part struct {
	offset uint64
	bytes  []byte
	body   buffer.Payload // instead of bytes
}

func (p part) len() int {
	if p.body != nil {
		return p.body.Len()
	}
	return len(p.bytes)
}

func (p part) drop() {
	if p.body != nil {
		p.body.Release()
	}
}

// violated ends the link because the other end broke the protocol.
func (l *Link) violated(err *wire.Error) error {
	l.end(err)
	return err
}

func (l *Link) handle(ctx context.Context, m wire.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.heard, l.pinged, l.probe = now, false, 0
	l.any = l.any || l.stats.Runs > 1 || answers(m)
	l.stats.MessagesReceived++
	switch m := m.(type) {
	case wire.Data:
		if m.Fore && !l.config.TakesBare {
			return l.violatedLocked("a bare message is announced to an end that takes none")
		}
		if m.Ack != nil {
			if err := l.ackedLocked(*m.Ack, now); err != nil {
				return err
			}
		}
		pause := ackPause
		if len(m.Payload) >= leastBare {
			pause = longPause
		}
		return l.dataLocked(ctx, part{offset: m.Offset, bytes: m.Payload}, now, pause)
	case wire.Ack:
		return l.ackedLocked(m, now)
	case wire.Ping:
		// One answer serves any number of questions that wait: a flood of them costs the
		// sender its own bandwidth only.
		l.pongs = append(l.pongs[:0], wire.Pong(m))
		l.poke()
	case wire.Pong:
	case wire.Close:
		l.awaitTakenLocked(ctx) // what came before is delivered first
		l.told = true
		err := wire.NewError(m.Code, m.Text)
		l.endLocked(err)
		return err
	default:
		return l.violatedLocked("hello or welcome in the middle of a carrier")
	}
	return nil
}

// ackedLocked takes an acknowledgement.
func (l *Link) ackedLocked(m wire.Ack, now time.Time) error {
	freed, mark, ok := l.out.acknowledge(m.Received)
	if !ok {
		return l.violatedLocked("acknowledgement of byte " + decimal.Of(m.Received) + ", but only " + decimal.Of(l.out.next) + " were sent")
	}
	if mark != nil {
		// The other end's delay is as wrong as it likes: no more is believed than a
		// receiver may take.
		arrived := now.Sub(l.began) - min(m.Delay, maxAckDelay)
		l.stats.sample(mark.RTT(arrived))
		l.growLocked(freed)
		l.window.OnAck(arrived, *mark, freed)
		l.out.most = l.window.Message(l.out.limit)
	}
	l.writable.Signal()
	l.poke()
	return nil
}

func (l *Link) violatedLocked(text string) error {
	err := wire.NewError(wire.Protocol, text)
	l.endLocked(err)
	return err
}

// awaitTakenLocked waits until all was read that has come, or the run or the link has ended.
func (l *Link) awaitTakenLocked(ctx context.Context) {
	for l.unreadLocked() && l.ended == nil && ctx.Err() == nil {
		l.taken.Wait()
	}
}

// dataLocked takes a part and waits until it was read. Bytes that keep coming are
// acknowledged after each pause.
func (l *Link) dataLocked(ctx context.Context, m part, now time.Time, pause time.Duration) error {
	if m.offset > l.received {
		m.drop()
		return l.violatedLocked("data from byte " + decimal.Of(m.offset) + ", but only " + decimal.Of(l.received) + " were received")
	}
	// Bytes may come twice: an overlap after a resume is expected.
	known := l.received - m.offset
	if known >= uint64(m.len()) {
		m.drop()
		return nil
	}
	// The last message of a lost carrier may not have been read yet.
	l.awaitTakenLocked(ctx)
	if l.ended != nil || ctx.Err() != nil {
		m.drop()
		if l.ended != nil {
			return l.ended
		}
		return context.Cause(ctx)
	}
	if m.body != nil {
		l.body, l.bodyRead = m.body, int(known)
	} else {
		l.inbox = m.bytes[known:]
	}
	n := m.len() - int(known)
	l.received += uint64(n)
	l.unacked += n
	if now.Sub(l.lastSeen) > eagerAfter {
		l.flow = 0
	}
	l.flow += n
	if l.flow <= eagerBytes {
		pause = 0
	}
	l.lastSeen = now
	switch {
	case l.unacked >= ackBytes, l.unacked >= manyBytes && now.Sub(l.ackSent) >= pause:
		l.ackDue = now
		l.poke()
	case l.ackDue.IsZero():
		l.ackDue = now.Add(ackDelay)
		l.poke()
	}
	l.readable.Signal()
	l.awaitTakenLocked(ctx)
	if !l.unreadLocked() {
		return nil
	}
	// Bytes that are not read when the run ends are read later: the carrier's buffer is
	// theirs then, so it must not receive again.
	if l.ended != nil {
		return l.ended
	}
	return context.Cause(ctx)
}

// sample notes one round trip (smoothing as in RFC 6298, section 2).
func (s *Stats) sample(rtt time.Duration) {
	if rtt < 0 {
		return // the other end's delay was longer than the round trip
	}
	if s.RTT == 0 {
		s.RTT, s.MinRTT = rtt, rtt
		return
	}
	s.RTT += (rtt - s.RTT) / 8
	s.MinRTT = min(s.MinRTT, rtt)
}
