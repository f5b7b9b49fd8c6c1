package link

import "github.com/sockmux/sockmux/shared/wire"

// confirmation is the number in the PING of Confirm. No other PING of a link has it: they
// carry numbers of bytes, which do not become that large.
const confirmation = 1<<64 - 1

// Confirm sends PING at once, over the present run or the next one, and calls confirmed
// when its answer has come over the same run. A run that ends before ends the question.
//
// An owner uses it to learn that the carrier works in both directions. What has arrived
// before the question proves nothing: a proxy may hold messages back until the carrier ends.
//
// confirmed is called by the goroutine that receives, without the link's lock.
func (l *Link) Confirm(confirmed func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.confirm, l.asked = confirmed, false
	l.poke()
}

// pingLocked returns the next PING. Until Confirm has its answer each has the number of
// Confirm: the other end may answer only the last of several.
func (l *Link) pingLocked() []byte {
	l.pinged = true
	ping := wire.Ping{Opaque: l.received}
	if l.confirm != nil {
		l.asked, ping.Opaque = true, confirmation
	}
	return ping.Append(nil)
}

// confirmed calls what Confirm was given.
func (l *Link) confirmed() {
	l.mu.Lock()
	call := l.confirm
	if !l.asked {
		call = nil // the answer belongs to another run
	} else {
		l.confirm = nil
	}
	l.mu.Unlock()
	if call != nil {
		call()
	}
}

// answers reports whether a message of the first run was sent behind a WELCOME: all but the
// DATA and the PINGs of a client that still waits for it.
func answers(m wire.Message) bool {
	switch m := m.(type) {
	case wire.Data:
		return m.Ack != nil
	case wire.Ping:
		return m.Opaque == confirmation
	default:
		return true
	}
}

// Heard reports whether a message has arrived over the present or the last carrier that shows
// that the other end runs over it, too. The messages before Run (HELLO, WELCOME) do not, and
// of the first run what a client sends without waiting for the WELCOME does not.
func (l *Link) Heard() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.any
}
