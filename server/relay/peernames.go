package relay

import (
	"net/netip"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// maxNames is how many names of peers a socket remembers, and maxUnderway how many of them may
	// be resolved at once.
	maxNames    = 64
	maxUnderway = 8
	// maxHeld is how many bytes of datagrams may wait for names.
	maxHeld = 64 << 10
	// nameTTL is for how long a name is not asked for again. The resolver has a cache of its own.
	nameTTL = 30 * time.Second
)

// names are the names to which a socket sends. A datagram waits until its name is resolved, and
// holds up none for another peer.
type names struct {
	mu       sync.Mutex
	known    map[datagram.Peer]*peerName
	underway int
	held     int    // bytes
	idle     func() // to be called when no name is underway; nil: nothing
}

// peerName is what is known of a name.
type peerName struct {
	underway bool
	held     [][]byte // datagrams that wait
	until    time.Time
	target   netip.AddrPort
	aliases  []string
	err      error
}

func (n *names) init() { n.known = make(map[datagram.Peer]*peerName) }

// send sends a datagram to a name: at once where the name is known, otherwise from a goroutine.
func (n *names) send(d *datagrams, to datagram.Peer, payload []byte) {
	n.mu.Lock()
	known, ok := n.known[to]
	switch {
	case ok && known.underway:
		defer n.mu.Unlock()
		if !n.holdLocked(d, known, payload) {
			d.counts.drop(droppedFull)
		}
		return
	case ok && time.Now().Before(known.until):
		n.mu.Unlock()
		known.send(d, to, payload)
		return
	}
	defer n.mu.Unlock()
	if err := d.begin(); err != nil {
		d.service.refusedPeer(to, err)
		d.refuse(to, droppedLimit, err)
		return
	}
	if !ok && len(n.known) >= maxNames {
		n.forgetLocked()
	}
	known = &peerName{underway: true}
	if n.underway >= maxUnderway || !n.holdLocked(d, known, payload) {
		d.counts.drop(droppedFull)
		return
	}
	n.underway++
	n.known[to] = known
	d.tasks.Go(func() { n.resolve(d, to, known) })
}

func (n *names) holdLocked(d *datagrams, known *peerName, payload []byte) bool {
	if n.held+len(payload) > maxHeld || len(known.held) >= maxUnderway {
		return false
	}
	n.held += len(payload)
	d.held.add(len(payload))
	known.held = append(known.held, append([]byte(nil), payload...))
	return true
}

// forgetLocked makes room for a name.
func (n *names) forgetLocked() {
	var oldest datagram.Peer
	var until time.Time
	for to, known := range n.known {
		if !known.underway && (oldest.Host.IsZero() || known.until.Before(until)) {
			oldest, until = to, known.until
		}
	}
	delete(n.known, oldest)
}

// resolve finds the address of a name and sends what waits for it.
func (n *names) resolve(d *datagrams, to datagram.Peer, known *peerName) {
	r := d.service
	request := wire.Request{Kind: wire.UDP, Host: to.Host, Port: to.Port, Family: d.pipe.request.Family}
	ctx, cancel := r.within(d.pipe.life, request)
	defer cancel()
	addrs, aliases, err := r.targets(ctx, request)
	found := peerName{until: time.Now().Add(nameTTL), aliases: aliases, err: err}
	for _, addr := range addrs {
		if d.socketFor(addr) != nil {
			found.target = addr
			break
		}
	}
	if err == nil && !found.target.IsValid() {
		found.err = wire.NewError(wire.AddressNotAvailable, to.Host.String()+" has no address to which the server sends")
	}
	r.refusedPeer(to, found.err)
	n.mu.Lock()
	held := known.held
	*known = found
	n.mu.Unlock()
	for _, payload := range held {
		found.send(d, to, payload)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, payload := range held {
		n.held -= len(payload)
		d.held.add(-len(payload))
	}
	n.underway--
	if n.underway == 0 && n.idle != nil {
		n.idle()
	}
}

// send sends a datagram to a name that is resolved.
func (known *peerName) send(d *datagrams, to datagram.Peer, payload []byte) {
	if known.err != nil {
		d.refuse(to, dropOf(known.err), known.err)
		return
	}
	d.sendPeer(to, known.aliases, known.target, payload)
}

// whenIdle calls f, which must not block, when no name is being resolved.
func (n *names) whenIdle(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.underway == 0 {
		f()
		return
	}
	n.idle = f
}
