package observe

import (
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/shared/wire"
)

// State is how far a stream has come.
type State string

// The states.
const (
	StateConnecting   State = "connecting"    // the name is resolved, the target dialled
	StateOpen         State = "open"          // bytes may go both ways
	StatePageClosed   State = "page-closed"   // the page has said that it sends no more
	StateTargetClosed State = "target-closed" // the target has
	StateClosing      State = "closing"       // both have
	StateFailed       State = "failed"        // it is refused or reset, and about to go
)

// Live is a stream at one moment.
type Live struct {
	Number   uint64 // counted from the start
	Who      Who
	Target   string         // HOST:PORT as it was asked for
	Remote   netip.AddrPort // what it is connected to; invalid before
	State    State
	Up, Down uint64 // bytes
	Began    time.Time
	Opened   time.Duration // from the request to the answer; 0 before
}

// Stream is a relay.Stream that is observed. It is used as the stream it stands for.
type Stream struct {
	relay.Stream
	observer *Observer
	number   uint64
	who      Who
	target   string
	began    time.Time
	up, down atomic.Uint64

	mu                       sync.Mutex
	replied                  bool
	remote                   netip.AddrPort
	opened                   time.Duration
	failed                   bool
	pageClosed, targetClosed bool
}

var _ relay.Stream = (*Stream)(nil)

// End forgets the stream. A stream that was never answered counts as aborted.
func (s *Stream) End() {
	s.answered(wire.Result{Code: wire.Aborted, Text: "the page gave it up"})
	s.observer.mu.Lock()
	delete(s.observer.streams, s.number)
	s.observer.mu.Unlock()
}

// Reply implements relay.Stream.
func (s *Stream) Reply(result wire.Result) error {
	s.answered(result)
	return s.Stream.Reply(result)
}

// answered notes the first answer.
func (s *Stream) answered(result wire.Result) {
	took := time.Since(s.began)
	s.mu.Lock()
	if s.replied {
		s.mu.Unlock()
		return
	}
	s.replied, s.opened, s.remote = true, took, result.Remote
	s.failed = result.Code != wire.OK
	s.mu.Unlock()
	if opened := s.observer.config.Opened; opened != nil {
		opened(result.Code, took)
	}
	if refuses(result.Code) {
		s.observer.Refuse(Refusal{Stage: StageStream, Reason: result.Code.String(), Who: s.who, Target: s.target, Text: result.Text})
	}
}

// refuses tells what the server would not do from what the network did not give, and from what the page itself has given up.
func refuses(code wire.Code) bool {
	switch code {
	case wire.Denied, wire.Limit, wire.FakeAddress, wire.InvalidRequest, wire.UnsupportedKind, wire.UnsupportedOption, wire.Unauthorized, wire.Expired, wire.Draining:
		return true
	default:
		return false
	}
}

// Read implements relay.Stream.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	s.up.Add(uint64(n))
	s.observer.up.Add(uint64(n))
	if err == io.EOF {
		s.note(&s.pageClosed)
	}
	return n, err
}

// Write implements relay.Stream.
func (s *Stream) Write(b []byte) (int, error) {
	n, err := s.Stream.Write(b)
	s.down.Add(uint64(n))
	s.observer.down.Add(uint64(n))
	return n, err
}

// Fill implements relay.Stream.
func (s *Stream) Fill(put func(b []byte) int) error {
	return s.Stream.Fill(func(b []byte) int {
		n := put(b)
		s.down.Add(uint64(n))
		s.observer.down.Add(uint64(n))
		return n
	})
}

// CloseWrite implements relay.Stream.
func (s *Stream) CloseWrite() error {
	s.note(&s.targetClosed)
	return s.Stream.CloseWrite()
}

// Reset implements relay.Stream.
func (s *Stream) Reset(code wire.Code, text string) error {
	s.note(&s.failed)
	return s.Stream.Reset(code, text)
}

func (s *Stream) note(what *bool) {
	s.mu.Lock()
	*what = true
	s.mu.Unlock()
}

// live is the stream at this moment.
func (s *Stream) live() Live {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := Live{
		Number: s.number, Who: s.who, Target: s.target, Remote: s.remote,
		Up: s.up.Load(), Down: s.down.Load(), Began: s.began, Opened: s.opened,
	}
	switch {
	case s.failed:
		l.State = StateFailed
	case !s.replied:
		l.State = StateConnecting
	case s.pageClosed && s.targetClosed:
		l.State = StateClosing
	case s.pageClosed:
		l.State = StatePageClosed
	case s.targetClosed:
		l.State = StateTargetClosed
	default:
		l.State = StateOpen
	}
	return l
}
