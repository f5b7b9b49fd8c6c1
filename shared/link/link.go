package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/congestion"
	"github.com/sockmux/sockmux/shared/wire"
)

// Defaults of Config.
const (
	DefaultPingAfter = 10 * time.Second // below the 30 s after which common middleboxes cut what is idle
	DefaultDeadAfter = 20 * time.Second // a page answers nothing during a long task, so not less
)

// When received bytes are acknowledged at the latest (docs/PROTOCOL.md, 3.3).
const (
	ackBytes = 1 << 20
	ackDelay = 5 * time.Millisecond
)

// Of a stream of bytes each message is acknowledged as it arrives, unless the last
// acknowledgement is younger than ackPause: acknowledgements that are late by their timer
// open the other end's window in bursts, and what is small waits behind each. Less than
// manyBytes are no stream: their answer is on its way, and comes before their
// acknowledgement.
const (
	ackPause  = 2 * time.Millisecond
	manyBytes = 16 << 10
)

// While a flow is young the other end's window is the limit, and grows by what is acknowledged. So
// the first eagerBytes are acknowledged without a pause. A flow is young again after eagerAfter
// without bytes.
const (
	eagerBytes = 4 << 20
	eagerAfter = 500 * time.Millisecond
)

// maxAckDelay is the longest delay that an acknowledgement can truly have
// (docs/PROTOCOL.md, 3.3), with time for a busy page.
const maxAckDelay = 50 * time.Millisecond

// Errors of a Link.
var (
	// ErrLost ends Run when the carrier has failed without a CLOSE. The link waits for the next.
	ErrLost = errors.New("carrier lost")
	// ErrSilent ends Run when nothing was received for Config.DeadAfter. It is an ErrLost.
	ErrSilent = &lostError{"the other end is silent"}
)

// lostError is an ErrLost with its reason.
type lostError struct{ reason string }

func (e *lostError) Error() string        { return ErrLost.Error() + ": " + e.reason }
func (e *lostError) Is(target error) bool { return target == ErrLost }

// Config says how a link works. Zero values stand for the defaults.
type Config struct {
	Bound     int             // bytes that are kept until the other end acknowledges them; Write waits at the bound
	MaxBound  int             // what Bound grows to where the path holds as much under way; 0: beside a Bound that is given, that
	Memory    *budget.Account // holds the memory of those bytes; while it is over, Write waits; nil: it is not counted
	TakesBare bool            // the other end may send bare messages
	PingAfter time.Duration   // of silence
	DeadAfter time.Duration   // of silence
	// FirstDeadAfter is DeadAfter until the first message of a run has arrived, if it is
	// longer. The other end does not know DeadAfter before a WELCOME has reached it. Of the
	// first run only messages count that it cannot have sent before.
	FirstDeadAfter time.Duration
}

func (c Config) orDefaults() Config {
	if c.Bound == 0 && c.MaxBound == 0 {
		c.MaxBound = DefaultMaxBound
	}
	if c.Bound == 0 {
		c.Bound = DefaultBound
	}
	c.MaxBound = max(c.MaxBound, c.Bound)
	if c.PingAfter == 0 {
		c.PingAfter = DefaultPingAfter
	}
	if c.DeadAfter == 0 {
		c.DeadAfter = DefaultDeadAfter
	}
	return c
}

// Link is one end. It is made by New. All methods may be called at any time; Read and
// Write by one goroutine each.
type Link struct {
	config Config
	wake   chan struct{} // capacity 1: the sender has something to look at
	done   chan struct{} // closed with the link
	began  time.Time     // zero of the window's clock

	mu       sync.Mutex
	readable *sync.Cond // inbox has bytes, or the link has ended
	writable *sync.Cond // outbox has room, or the link has ended
	taken    *sync.Cond // inbox is empty, or the run or the link has ended

	out      outbox
	bound    int // from Config's Bound to its MaxBound
	window   *congestion.Window
	bare     bool           // the other end takes bare messages
	joins    bool           // the other end knows JOINED
	inbox    []byte         // of the last DATA message, not yet read
	body     buffer.Payload // or of the last bare one; nil: there is none
	bodyRead int            // bytes of it that were read
	received uint64
	ended    error // why; nil while the link lives
	closing  *wire.Close
	told     bool // the other end knows: a CLOSE was sent or received
	running  bool
	stuck    int // runs in a row that were lost with a message under way that is longer than all that ever arrived
	stats    Stats

	// Of the present run.
	ackDue   time.Time // zero: nothing to acknowledge
	later    int       // unsent bytes that wait for that
	unacked  int       // received and not acknowledged
	ackSent  time.Time // when the last acknowledgement was sent
	lastSeen time.Time // when the last of them arrived
	flow     int       // bytes received since the last pause of eagerAfter
	heard    time.Time // when anything arrived
	any      bool      // whether anything arrived that shows that the other end has begun the run, too
	pinged   bool      // since anything arrived
	pongs    []wire.Pong
	owes     bool          // a bare message was announced and not sent
	probe    time.Duration // what Probe allows for the answer; 0: nothing was asked
	probed   time.Time     // when
	confirm  func()        // what Confirm is to call; nil: nothing was asked
	asked    bool          // the PING of Confirm was sent
	watchdog *watchdog     // nil between runs
	from     uint64        // where the other end was when it began
}

// Stats are figures of a link for people and tests.
type Stats struct {
	RTT              time.Duration // smoothed; 0 before the first sample
	MinRTT           time.Duration
	Sent, Received   uint64 // bytes written by and read for the layer above
	Unacknowledged   int    // bytes
	Window           int    // bytes that may be in flight
	MessagesSent     uint64
	MessagesReceived uint64
	Runs             int // carriers so far
	MessageLimit     int // payload bytes that a message has at most
}

// Progress returns a figure that grows with every byte that has arrived at either end.
func (s Stats) Progress() uint64 { return s.Received + s.Sent - uint64(s.Unacknowledged) }

// New returns a link without a carrier. It must be closed.
func New(config Config) *Link {
	l := &Link{config: config.orDefaults(), wake: make(chan struct{}, 1), done: make(chan struct{}), began: time.Now(), out: outbox{limit: MaxSegment, memory: config.Memory}}
	l.bound = l.config.Bound
	l.window = congestion.New(l.bound)
	l.out.most = l.window.Message(l.out.limit)
	l.readable, l.writable, l.taken = sync.NewCond(&l.mu), sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	return l
}

// Read gives bytes in order. It waits for the first, over as many carriers as it takes.
// After the other end's CLOSE `ok` it returns io.EOF, after any other end the reason.
func (l *Link) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.awaitUnreadLocked(); err != nil {
		return 0, err
	}
	if l.body != nil {
		return l.readBodyLocked(b), nil
	}
	n := copy(b, l.inbox)
	l.inbox = l.inbox[n:]
	if len(l.inbox) == 0 {
		l.inbox = nil
		l.taken.Signal()
	}
	return n, nil
}

func (l *Link) unreadLocked() bool { return len(l.inbox) > 0 || l.body != nil }

func (l *Link) awaitUnreadLocked() error {
	for !l.unreadLocked() {
		if l.ended != nil {
			return eofIfClean(l.ended)
		}
		l.readable.Wait()
	}
	return nil
}

func eofIfClean(err error) error {
	if errors.Is(err, wire.NewError(wire.OK, "")) {
		return io.EOF
	}
	return err
}

// Write takes bytes; it waits while a whole message waits to be sent, so that what is
// written next can still choose its place, and while the bound is reached. The bytes are
// copied.
func (l *Link) Write(b []byte) (int, error) { return l.WriteParts(b, nil) }

// WriteParts is Write for bytes that lie in two places, such as a frame's header and its body.
func (l *Link) WriteParts(first, second []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	written, err := l.writeLocked(first)
	if err != nil || len(second) == 0 {
		return written, err
	}
	n, err := l.writeLocked(second)
	return written + n, err
}

// WriteLater is Write for bytes that no caller waits for: they go with the next
// acknowledgement, which is due in ackDelay where anything has come, or before it with
// what else is written. To a page that is a message less.
func (l *Link) WriteLater(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ackDue.IsZero() || l.ended != nil || l.closing != nil || l.roomLocked() < len(b) {
		return l.writeLocked(b)
	}
	l.out.add(b)
	l.later += len(b)
	l.stats.Sent += uint64(len(b))
	return len(b), nil
}

func (l *Link) writeLocked(b []byte) (int, error) {
	written := 0
	for len(b) > 0 {
		room, err := l.awaitRoomLocked(1)
		if err != nil {
			return written, err
		}
		n := min(len(b), room)
		l.out.add(b[:n])
		l.stats.Sent += uint64(n)
		b, written = b[n:], written+n
		l.poke()
	}
	return written, nil
}

// awaitRoomLocked waits until Write takes n bytes, and returns how many it takes. After
// Shutdown nothing is taken, and the writer is not told before the end: what comes after
// the CLOSE belongs to no run.
func (l *Link) awaitRoomLocked(n int) (room int, err error) {
	for l.ended == nil {
		if room = l.roomLocked(); l.closing == nil && room >= n {
			return room, nil
		}
		l.writable.Wait()
	}
	return 0, l.ended
}

// Fill writes a header and least to most bytes that put makes, without a copy: put gets the
// memory from which the bytes are sent and returns how many it has put there, 0 for no frame
// at all. header returns the header for that many bytes; its length is always the same. put
// and header must not block and must not call the link. The bytes may travel as a bare message
// where Bare is not 0.
func (l *Link) Fill(least, most int, put func(b []byte) int, header func(n int) []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sendsBareLocked(most) {
		return l.fillBareLocked(most, put, header)
	}
	size := len(header(0))
	room, err := l.awaitRoomLocked(size + least)
	if err != nil {
		return err
	}
	b := l.out.room(size+least, min(size+most, room))
	if n := put(b[size:]); n > 0 {
		copy(b, header(n))
		l.out.filled(size + n)
		l.stats.Sent += uint64(size + n)
		l.poke()
	}
	return nil
}

// roomLocked is how many bytes Write takes at present. Memory that is over is that of bytes
// which wait for acknowledgements, so one of those lets the writer look again.
func (l *Link) roomLocked() int {
	if l.out.unsent() >= l.unsentLimitLocked() || l.config.Memory.Over() {
		return 0
	}
	return l.bound - l.out.held()
}

// framesInMessage is how many frames of the layer above fill a message, so that streams
// take turns within one.
const framesInMessage = 4

// Frame returns how many bytes a frame of the layer above should carry at present.
func (l *Link) Frame() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.most / framesInMessage
}

// RTT returns the smoothed round trip, 0 before the first sample.
func (l *Link) RTT() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats.RTT
}

// SetKeepalive replaces Config's PingAfter and DeadAfter by what the other end demands,
// from now on. Times that are not positive change nothing.
func (l *Link) SetKeepalive(pingAfter, deadAfter time.Duration) {
	if pingAfter <= 0 || deadAfter <= pingAfter {
		return
	}
	l.mu.Lock()
	l.config.PingAfter, l.config.DeadAfter = pingAfter, deadAfter
	l.heard = time.Now() // the demand has come just now
	w := l.watchdog
	l.poke()
	l.mu.Unlock()
	if w != nil {
		w.look()
	}
}

// poke wakes the sender.
func (l *Link) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Received returns the number of bytes received in order, for the resume of a session.
func (l *Link) Received() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received
}

// Resumable reports whether the other end can go on from there: whether what it has not
// received is still kept.
func (l *Link) Resumable(peerReceived uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return peerReceived >= l.out.acked && peerReceived <= l.out.end
}

// Stats returns the present figures.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Unacknowledged, s.Window = l.out.held(), l.window.Size()
	s.Received = l.received
	s.MessageLimit = l.out.limit
	return s
}

// Done is closed when the link has ended; Err then says why.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err returns why the link has ended: net.ErrClosed after Close, a *wire.Error after a
// CLOSE of either end or a violation of the protocol, nil while it lives.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// Close ends the link at once, for an owner that reads no more; what the other end has
// not got is lost. The carrier closes with code 1000.
func (l *Link) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endLocked(closed.Err)
	l.dropBodyLocked()
	return nil
}

// Fail ends the link at once with a reason that Read, Write and Err will give.
func (l *Link) Fail(err *wire.Error) { l.end(err) }

func (l *Link) end(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.endLocked(err)
}

func (l *Link) endLocked(err error) {
	if l.ended != nil {
		return
	}
	l.ended = err
	l.shrinkLocked()
	close(l.done)
	l.readable.Broadcast()
	l.writable.Broadcast()
	l.taken.Broadcast()
}

// Shutdown sends what was written, then CLOSE with the code and the text, then ends the link.
// It takes no more bytes from now on: a Write waits for the end. If no carrier takes the bytes
// before the context ends, the link ends without; with the code aborted then in place of ok.
func (l *Link) Shutdown(ctx context.Context, code wire.Code, text string) error {
	l.mu.Lock()
	if l.ended == nil && l.closing == nil {
		l.closing = &wire.Close{Code: code, Text: text}
		l.later = 0
		l.writable.Broadcast()
		l.poke()
	}
	l.mu.Unlock()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
		l.end(l.unfinished(code, text))
		return ctx.Err()
	}
}

// unfinished returns the reason for the end of a link whose CLOSE could not be sent in time. CLOSE
// ok would say that all bytes came before it.
func (l *Link) unfinished(code wire.Code, text string) *wire.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if code == wire.OK && l.out.unsent() > 0 {
		return wire.NewError(wire.Aborted, "closed before all bytes were sent")
	}
	return wire.NewError(code, text)
}
