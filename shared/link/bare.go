package link

import (
	"context"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
)

// Bare messages (docs/PROTOCOL.md, 3.2) have no header, so that a page can give what it
// receives to a program as it is: in memory of its own each copy costs it a page fault
// for every 4 KiB, which is as much as all else that it does with them.
const (
	// leastBare is the shortest: each costs the other end two messages.
	leastBare = 64 << 10
	// headRoom is more than the bytes of the layer above that stand before it.
	headRoom = 64
	// longPause is ackPause for them and for DATA as long: on paths as fast as theirs so many
	// bytes come in that time that an end has less to do with them than with telling that they
	// came, and a page less with them than with hearing of it.
	longPause = 4 * time.Millisecond
)

// SendBare lets FillBare send bare messages: the other end has said that it takes them.
func (l *Link) SendBare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bare = true
}

// Bare returns how many bytes one bare message should carry at present, 0 where none is
// to be sent.
func (l *Link) Bare() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sendsBareLocked(l.out.most) {
		return 0
	}
	return l.out.most
}

// sendsBareLocked reports whether n bytes may travel as a bare message.
func (l *Link) sendsBareLocked(n int) bool {
	return l.bare && n >= leastBare && l.config.Bound >= leastBare+headRoom
}

// fillBareLocked is Fill for bytes that travel as a bare message if there are enough of them.
// It calls put without the link's lock.
func (l *Link) fillBareLocked(most int, put func(b []byte) int, header func(n int) []byte) error {
	room, err := l.awaitRoomLocked(leastBare)
	if err != nil {
		return err
	}
	room -= headRoom // there is one writer, so it stays
	b := l.out.take(class(most))
	l.mu.Unlock()
	n := put(b[:min(most, room)])
	l.mu.Lock()
	if n == 0 {
		l.out.give(b)
		return nil
	}
	if _, err := l.awaitRoomLocked(0); err != nil {
		l.out.give(b)
		return err
	}
	first := header(n)
	l.out.add(first)
	if n >= leastBare {
		l.out.addBare(b[:n])
	} else {
		l.out.add(b[:n])
		l.out.give(b)
	}
	l.stats.Sent += uint64(len(first) + n)
	l.poke()
	return nil
}

// receiveBare receives a bare message: bytes from offset on.
func (l *Link) receiveBare(ctx context.Context, c Carrier, offset uint64) error {
	payload, err := c.ReceiveBody(ctx)
	if err != nil {
		return lost(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.MessagesReceived++
	return l.dataLocked(ctx, part{offset: offset, body: payload}, time.Now(), longPause)
}

// ReadBody gives what Read would give next as a body, which the caller owns, or nil where
// that is not a bare message that is whole, kept by its carrier, and at most most bytes
// long. It waits like Read.
func (l *Link) ReadBody(most int) (buffer.Payload, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.awaitUnreadLocked(); err != nil {
		return nil, err
	}
	if l.body == nil || l.bodyRead > 0 || l.body.Len() > most {
		return nil, nil
	}
	body := l.body
	l.body = nil
	l.taken.Signal()
	return body, nil
}

// readBodyLocked is Read where a body is what comes next.
func (l *Link) readBodyLocked(b []byte) int {
	n := min(len(b), l.body.Len()-l.bodyRead)
	l.body.CopyAt(b[:n], l.bodyRead)
	if l.bodyRead += n; l.bodyRead == l.body.Len() {
		l.dropBodyLocked()
		l.taken.Signal()
	}
	return n
}

func (l *Link) dropBodyLocked() {
	if l.body != nil {
		l.body.Release()
		l.body = nil
	}
}
