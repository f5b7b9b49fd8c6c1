package relay

import (
	"net/netip"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
)

const (
	// maxPeers is how many peers of a socket may answer. The one that was silent for longest
	// makes room for another.
	maxPeers = 256
	// peerIdle is how long a peer may answer after the last datagram in either direction (RFC
	// 4787, REQ-5, recommends five minutes).
	peerIdle = 5 * time.Minute
)

// peers are those to which a socket has sent: only they may answer (RFC 4787, section 5, address-
// and port-dependent filtering). Any number of goroutines may use it.
type peers struct {
	mu    sync.Mutex
	known map[netip.AddrPort]*peer
}

type peer struct {
	as     datagram.Peer // as the client calls it
	last   time.Time
	denied error // by the policy, which need not be asked again; nil: the peer may answer
}

func (p *peers) init() { p.known = make(map[netip.AddrPort]*peer) }

// reach notes that a datagram goes to a peer. For one that is not known, check decides.
func (p *peers) reach(to netip.AddrPort, as datagram.Peer, check func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if known, ok := p.known[to]; ok && now.Sub(known.last) < peerIdle && known.as == as {
		if known.denied == nil {
			known.last = now
		}
		return known.denied
	}
	err := check()
	if err != nil && dropOf(err) != droppedDenied {
		return err
	}
	if _, ok := p.known[to]; !ok && len(p.known) >= maxPeers {
		p.forgetOldestLocked()
	}
	p.known[to] = &peer{as, now, err}
	return err
}

// from returns what the client calls a peer. ok is false for one that may not answer.
func (p *peers) from(addr netip.AddrPort) (as datagram.Peer, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.known[addr]
	if !ok || known.denied != nil {
		return datagram.Peer{}, false
	}
	now := time.Now()
	if now.Sub(known.last) >= peerIdle {
		delete(p.known, addr)
		return datagram.Peer{}, false
	}
	known.last = now
	return known.as, true
}

func (p *peers) forgetOldestLocked() {
	var oldest netip.AddrPort
	var since time.Time
	for addr, known := range p.known {
		if !oldest.IsValid() || known.last.Before(since) {
			oldest, since = addr, known.last
		}
	}
	delete(p.known, oldest)
}
