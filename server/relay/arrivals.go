package relay

import (
	"fmt"
	"math"
	"net"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// acceptTime is how long an incoming connection waits to be accepted. A program that accepts
// later, because it computes, finds those that came meanwhile; one that never does holds none.
const acceptTime = 5 * time.Minute

// arrivals are the incoming connections that wait to be accepted, and the listeners, by the number
// of their session. Any number of goroutines may use it.
type arrivals struct {
	mu       sync.Mutex
	sessions map[uint64]*arrivalsOf
	waiting  int // in all
	closed   bool
}

// A portHolder is a stream that has bound a port: a listener, or a socket for datagrams. It is
// comparable.
type portHolder interface {
	stop() // ends the stream because the relay ends
}

// arrivalsOf are those of one session.
type arrivalsOf struct {
	listeners map[portHolder]struct{}
	waiting   map[uint16]*arrival
	last      uint16
}

// arrival is an incoming connection that waits.
type arrival struct {
	conn  *net.TCPConn
	from  *listening
	timer *time.Timer // resets it
}

func newArrivals() *arrivals { return &arrivals{sessions: make(map[uint64]*arrivalsOf)} }

// enter adds a stream of a session that is about to bind a port. The error is a *wire.Error or a
// *limit.Refused.
func (a *arrivals) enter(session uint64, l portHolder, max int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.sessions[session]
	switch {
	case a.closed:
		return errRelayEnds
	case of == nil:
		of = &arrivalsOf{listeners: make(map[portHolder]struct{}), waiting: make(map[uint16]*arrival)}
		a.sessions[session] = of
	case max > 0 && len(of.listeners) >= max:
		return limit.Refuse(limit.Listeners, "the session has its %d listeners", max)
	}
	of.listeners[l] = struct{}{}
	return nil
}

// leave removes what enter has added and resets the connections that wait at it, those that are
// not accepted within the grace.
func (a *arrivals) leave(session uint64, l portHolder, grace time.Duration) {
	a.mu.Lock()
	of := a.sessions[session]
	var left []*arrival
	if of != nil {
		for number, waits := range of.waiting {
			switch {
			case portHolder(waits.from) != l:
			case grace > 0:
				waits.timer.Reset(grace)
			default:
				a.takeLocked(session, number)
				left = append(left, waits)
			}
		}
		delete(of.listeners, l)
		a.forgetLocked(session)
	}
	a.mu.Unlock()
	for _, waits := range left {
		waits.reset()
	}
}

// add lets a connection wait for at most so long, and returns its number. It returns false if the
// listener has left meanwhile.
func (a *arrivals) add(session uint64, l *listening, conn *net.TCPConn, wait time.Duration) (number uint16, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.sessions[session]
	if of == nil {
		return 0, false
	}
	if _, listens := of.listeners[l]; !listens {
		return 0, false
	}
	for of.waiting[of.last] != nil || of.last == 0 {
		if of.last++; len(of.waiting) == math.MaxUint16 {
			return 0, false // the windows of all listeners are far smaller
		}
	}
	number = of.last
	of.last++
	waits := &arrival{conn: conn, from: l}
	waits.timer = time.AfterFunc(wait, func() {
		if a.expire(session, number, waits) {
			waits.reset()
		}
	})
	of.waiting[number] = waits
	a.waiting++
	return number, true
}

// expire takes a connection out that has waited for too long.
func (a *arrivals) expire(session uint64, number uint16, waits *arrival) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.sessions[session]
	if of == nil || of.waiting[number] != waits {
		return false
	}
	a.takeLocked(session, number)
	return true
}

// take gives a connection to the one stream that accepts it.
func (a *arrivals) take(session uint64, number uint16) (*net.TCPConn, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if of := a.sessions[session]; of != nil {
		if waits := of.waiting[number]; waits != nil {
			a.takeLocked(session, number)
			return waits.conn, nil
		}
	}
	return nil, wire.NewError(wire.Aborted, fmt.Sprintf("no incoming connection %d waits: it was accepted, or has gone", number))
}

func (a *arrivals) takeLocked(session uint64, number uint16) {
	of := a.sessions[session]
	waits := of.waiting[number]
	delete(of.waiting, number)
	a.waiting--
	waits.timer.Stop()
	waits.from.left()
	a.forgetLocked(session)
}

// forgetLocked forgets a session of which nothing is left.
func (a *arrivals) forgetLocked(session uint64) {
	if of := a.sessions[session]; of != nil && len(of.listeners) == 0 && len(of.waiting) == 0 {
		delete(a.sessions, session)
	}
}

// count returns the numbers of listeners and of connections that wait.
func (a *arrivals) count() (listeners, waiting int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, of := range a.sessions {
		listeners += len(of.listeners)
	}
	return listeners, a.waiting
}

// drain lets none begin any more, and returns those that are there.
func (a *arrivals) drain() (all []portHolder) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, of := range a.sessions {
		for l := range of.listeners {
			all = append(all, l)
		}
	}
	return all
}

// reset ends a connection that is not accepted, as a system does when its listener closes.
func (w *arrival) reset() {
	_ = w.conn.SetLinger(0)
	_ = w.conn.Close()
}
