package relay

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxSenders is how many strangers that have sent to a bound socket may be answered. The one
	// that was silent for longest makes room for another.
	maxSenders = 1024
	// senderBytes is about what one of them holds: its place in a list and in a map.
	senderBytes = 256
)

// senders are the strangers that have sent to a bound socket. They may be answered for peerIdle
// after their last datagram, whatever the policy says of their addresses: the client answers what
// the operator lets in, as on a connection that it has accepted. Any number of goroutines may use
// it; nil holds none.
type senders struct {
	held *held

	mu    sync.Mutex
	known map[netip.AddrPort]*list.Element
	order list.List // of sender, the latest first
}

type sender struct {
	addr netip.AddrPort
	last time.Time
}

func newSenders(held *held) *senders {
	return &senders{held: held, known: make(map[netip.AddrPort]*list.Element)}
}

// note notes that a datagram has come. An address that is not one host's is not answered.
func (s *senders) note(from netip.AddrPort) {
	if !isUnicast(from.Addr()) || from.Port() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := sender{from, time.Now()}
	if known, ok := s.known[from]; ok {
		known.Value = now
		s.order.MoveToFront(known)
		return
	}
	if len(s.known) < maxSenders {
		s.held.add(senderBytes)
		s.known[from] = s.order.PushFront(now)
		return
	}
	oldest := s.order.Back()
	delete(s.known, oldest.Value.(sender).addr) // what the list holds
	oldest.Value = now
	s.order.MoveToFront(oldest)
	s.known[from] = oldest
}

// may reports whether a stranger may be answered.
func (s *senders) may(to netip.AddrPort) bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.known[to]
	return ok && time.Since(known.Value.(sender).last) < peerIdle // likewise
}
