package frames

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// Messages is the server's end of a WebSocket, message by message. One goroutine may call Receive
// while others call the other methods. Messages of text end it.
type Messages struct {
	conn   net.Conn
	abort  func() error
	unsent *notsentlowat.Following // nil: the system's own limit; of the holder of out.mu
	out    sender

	dismissed atomic.Bool

	reading sync.Mutex // held while frames are read
	in      incoming
	ended   error // what Receive returns from now on
	over    bool  // nothing more can be read
	rest    head  // of a frame of text, whose payload was not read

	pongs struct {
		sync.Mutex
		last  uint64                   // the number of the last ping
		waits map[uint64]chan struct{} // closed by the pong
	}
}

// maxDismissed bounds what is read and dropped while a client closes that gets no session, in
// bytes.
const maxDismissed = 1 << 10

// newMessages returns a WebSocket behind its handshake. ahead has come behind that.
func newMessages(conn net.Conn, ahead []byte) *Messages {
	m := &Messages{conn: conn, abort: conn.Close}
	m.out.to = conn
	m.in.start(conn, ahead)
	return m
}

// Admit lets the client send messages, of which Receive keeps longest bytes at most. memory, which
// may be nil, holds their buffers. heard is called when something has come.
func (m *Messages) Admit(longest int, memory *budget.Account, heard func()) {
	m.reading.Lock()
	defer m.reading.Unlock()
	m.in.admit(longest, memory, heard)
}

// Dismiss says that nothing of the client is wanted any more. Close may follow, within some
// seconds: then the connection is cut.
func (m *Messages) Dismiss() {
	m.dismissed.Store(true)
	time.AfterFunc(endTimeout, m.Abort) // does nothing to one that has ended
}

// Receive returns the next message. cut says that the end of a long one was dropped. The message is
// the caller's until the next call. Each error is the end: io.EOF if the client has closed the
// WebSocket without an error.
func (m *Messages) Receive() (message []byte, cut bool, err error) {
	m.reading.Lock()
	defer m.reading.Unlock()
	if m.ended != nil {
		return nil, false, m.ended
	}
	m.in.next()
	for {
		h, err := m.in.head()
		if err == nil && h.op.control() {
			if err = m.control(h); err == nil {
				continue
			}
		}
		if err == nil && h.op == opText {
			m.rest, err = h, errText
		}
		if err == nil {
			var whole bool
			if message, cut, whole, err = m.in.data(h); err == nil && !whole {
				continue
			}
		}
		if err != nil {
			m.end(err)
			return nil, false, m.ended
		}
		return message, cut, nil
	}
}

var errText = wire.NewError(wire.Protocol, "text message")

// Close codes (RFC 6455, section 7.4.1).
const (
	codeNormal      = 1000
	codeGoingAway   = 1001
	codeNone        = 1005
	codeUnsupported = 1003
)

// end notes the end of reading, and answers what has made it. The caller holds reading.
func (m *Messages) end(err error) {
	m.ended, m.over = err, err != error(errText)
	if m.over {
		m.in.close()
	}
	var broken *ProtocolError
	var closed *CloseError
	switch {
	case err == error(errText):
		m.closeFrame(codeUnsupported, "text messages are not taken")
	case errors.As(err, &broken):
		m.closeFrame(protocolError, broken.Rule)
	case errors.As(err, &closed):
		m.closeFrame(closed.Code, closed.Reason)
		switch closed.Code {
		case codeNormal, codeGoingAway, codeNone:
			m.ended = io.EOF
		}
	case errors.Is(err, io.EOF):
		m.ended = io.ErrUnexpectedEOF // without a close frame nothing has ended well
	}
}

// closeFrame sends a close frame, if none was sent. The client may read nothing any more.
func (m *Messages) closeFrame(code uint16, reason string) {
	_ = m.conn.SetWriteDeadline(time.Now().Add(endTimeout)) // fails if the connection has ended
	m.out.mu.Lock()
	defer m.out.release()
	if !m.out.closed {
		_ = m.out.closeFrame(code, reason) // likewise
	}
}

// control answers a control frame. The error is the end.
func (m *Messages) control(h head) error {
	payload, err := m.in.payload(h)
	if err != nil {
		return err
	}
	switch h.op {
	case opPing:
		m.out.answerPing(payload)
	case opPong:
		m.ponged(payload)
	case opClose:
		end, err := closeOf(payload)
		if err != nil {
			return err
		}
		return end
	}
	return nil
}

// Send sends messages, in one write where they are short. It blocks until the network takes them.
func (m *Messages) Send(messages ...[]byte) error {
	longest := 0
	for _, message := range messages {
		longest = max(longest, len(message))
	}
	m.out.mu.Lock()
	defer m.out.release()
	if m.out.closed {
		return ErrClosing
	}
	if m.unsent != nil {
		m.unsent.Sending(longest)
	}
	return m.out.messages(messages)
}

// Ping returns when the client has answered a ping, or ctx has ended, whose error it returns then.
// A Receive must be under way.
func (m *Messages) Ping(ctx context.Context) error {
	number, answered := m.pinged()
	defer m.unping(number)
	m.out.ping(binary.BigEndian.AppendUint64(nil, number))
	select {
	case <-answered:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *Messages) pinged() (number uint64, answered <-chan struct{}) {
	m.pongs.Lock()
	defer m.pongs.Unlock()
	if m.pongs.waits == nil {
		m.pongs.waits = make(map[uint64]chan struct{})
	}
	m.pongs.last++
	waits := make(chan struct{})
	m.pongs.waits[m.pongs.last] = waits
	return m.pongs.last, waits
}

func (m *Messages) unping(number uint64) {
	m.pongs.Lock()
	defer m.pongs.Unlock()
	delete(m.pongs.waits, number)
}

// ponged notes a pong, which may be one that answers nothing (RFC 6455, section 5.5.3).
func (m *Messages) ponged(payload []byte) {
	if len(payload) != 8 {
		return
	}
	number := binary.BigEndian.Uint64(payload)
	m.pongs.Lock()
	defer m.pongs.Unlock()
	if waits := m.pongs.waits[number]; waits != nil {
		close(waits)
		delete(m.pongs.waits, number)
	}
}

// answerTimeout is how long the client may take for its close frame.
const answerTimeout = 5 * time.Second

// Close ends the WebSocket with a close code and a reason, or at once where the code is 0. It may
// be called more than once and at any time.
func (m *Messages) Close(code int, reason string) error {
	if code == 0 {
		m.Abort()
		return nil
	}
	m.closeFrame(uint16(code), wire.Cut(reason, wire.MaxReason))
	_ = m.conn.SetReadDeadline(time.Now().Add(answerTimeout)) // fails if the connection has ended
	m.reading.Lock()
	defer m.reading.Unlock()
	most := uint64(math.MaxUint64)
	if m.dismissed.Load() {
		most = maxDismissed
	}
	var err error
	if m.rest.op == opText {
		err = m.in.skip(m.rest)
	}
	for err == nil && !m.over {
		var n uint64
		n, err = m.skip(most)
		most -= n
	}
	m.over = true
	if m.ended == nil {
		m.ended = ErrClosing
	}
	m.in.close()
	return m.conn.Close()
}

// errGoesOn is the end of a client that sends more than may be dropped.
var errGoesOn = errors.New("the client goes on to send")

// skip reads a frame while the client closes, and returns its length, which is most at most.
func (m *Messages) skip(most uint64) (n uint64, err error) {
	m.in.next()
	h, err := m.in.head()
	switch {
	case err != nil:
		return 0, err
	case h.op.control():
		return 0, m.control(h)
	case h.length > most:
		return 0, errGoesOn
	}
	return h.length, m.in.skip(h)
}

// Abort ends the connection at once, without a word. It does not block. Any goroutine may call it;
// calls under way return errors.
func (m *Messages) Abort() { _ = m.abort() } // it may have ended
