package relay

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/wire"
)

// State is how far a stream has come.
type State string

// The states.
const (
	StateConnecting   State = "connecting"    // the name is resolved, the target dialed
	StateOpen         State = "open"          // bytes may go both ways
	StatePageClosed   State = "page-closed"   // the client has said that it sends no more
	StateTargetClosed State = "target-closed" // the target has
	StateClosing      State = "closing"       // both have
	StateFailed       State = "failed"        // it is refused or reset, and about to go
)

// Live is a stream at one moment.
type Live struct {
	Number   uint64 // counted from 1
	Client   events.Client
	Target   string         // HOST:PORT as it was asked for
	Remote   netip.AddrPort // what it is connected to; invalid before
	State    State
	Up, Down int64 // bytes given to the target, to the client
	Began    time.Time
	Opened   time.Duration // from the request to the answer; 0 before
}

// live is the streams that a relay serves. Any number of goroutines may use it.
type live struct {
	up, down  atomic.Int64 // bytes of all streams since the start
	datagrams counts

	mu    sync.Mutex
	last  uint64
	pipes map[uint64]*pipe
	ends  bool          // Close was called
	cut   bool          // Close cuts: what begins now ends at once
	none  chan struct{} // closed when ends is set and no stream is left
}

func newLive() *live { return &live{pipes: make(map[uint64]*pipe), none: make(chan struct{})} }

// number returns the number of the next stream.
func (l *live) number() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	return l.last
}

// add reports whether the stream must end at once.
func (l *live) add(p *pipe) (cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pipes[p.relay.number] = p
	return l.cut
}

func (l *live) remove(p *pipe) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pipes, p.relay.number)
	if l.ends && len(l.pipes) == 0 {
		l.closeNoneLocked()
	}
}

func (l *live) closeNoneLocked() {
	select {
	case <-l.none:
	default:
		close(l.none)
	}
}

// all returns the present streams, the oldest first.
func (l *live) all() []*pipe {
	l.mu.Lock()
	list := make([]*pipe, 0, len(l.pipes))
	for _, p := range l.pipes {
		list = append(list, p)
	}
	l.mu.Unlock()
	slices.SortFunc(list, func(a, b *pipe) int { return cmp.Compare(a.relay.number, b.relay.number) })
	return list
}

// Active returns the number of streams that are being served.
func (r *Relay) Active() int {
	r.live.mu.Lock()
	defer r.live.mu.Unlock()
	return len(r.live.pipes)
}

// Bytes returns how many bytes streams have carried since the relay was made, up to targets and
// down to clients, those of the present streams included.
func (r *Relay) Bytes() (up, down uint64) {
	return uint64(r.live.up.Load()), uint64(r.live.down.Load())
}

// Streams returns at most max of the present streams, the oldest first, and how many there are.
func (r *Relay) Streams(max int) (list []Live, all int) {
	pipes := r.live.all()
	for _, p := range pipes[:min(max, len(pipes))] {
		list = append(list, p.now())
	}
	return list, len(pipes)
}

// now is the stream at this moment.
func (p *pipe) now() Live {
	l := Live{
		Number: p.relay.number, Client: p.relay.Client, Target: p.request.Target(),
		Up: p.up.Load(), Down: p.given.Load(), Began: p.began, State: StateConnecting,
	}
	select {
	case <-p.answered:
		l.Opened, l.Remote = p.dialed, p.remote
	default:
		return l
	}
	up, down := p.finSent.Load(), p.targetEnded.Load()
	switch {
	case p.failed.Load():
		l.State = StateFailed
	case up && down:
		l.State = StateClosing
	case up:
		l.State = StatePageClosed
	case down:
		l.State = StateTargetClosed
	default:
		l.State = StateOpen
	}
	return l
}

// errRelayEnds is the reason of streams that Close cuts.
var errRelayEnds = wire.NewError(wire.Draining, "the server has ended")

// Close waits until no stream is served or ctx has ended, then cuts those that are left, and those
// that begin from now on, and waits for them. Streams of a session that was closed have no other
// owner. It returns the error of ctx if streams were cut.
func (r *Relay) Close(ctx context.Context) error {
	l := r.live
	l.mu.Lock()
	l.ends = true
	if len(l.pipes) == 0 {
		l.closeNoneLocked()
	}
	l.mu.Unlock()
	select {
	case <-l.none:
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.cut = true
	l.mu.Unlock()
	var err error
	var cuts sync.WaitGroup
	for _, p := range l.all() {
		err = ctx.Err()
		cuts.Go(func() { p.cut(errRelayEnds) })
	}
	cuts.Wait()
	<-l.none
	return err
}
