// Package places bounds connections that carry no session, so that strangers compete among
// themselves only.
//
//	pool := places.New(1024)
//	place := pool.Enter(limit.Network(peer), places.Waiting, conn.Abort)
//	defer place.Leave()
//
// A newcomer always gets a place. Where none is free, a connection that may go without harm
// ends for it; otherwise the network with the most connections loses one.
package places

import (
	"container/list"
	"sync"
)

// Rank says how much is lost with a connection.
type Rank int

// The ranks, those first that go first.
const (
	Spare   Rank = iota // nothing: an idle HTTP connection, a refused WebSocket before its end
	Waiting             // a try: no whole header has come, no HELLO
	Busy                // an answer that is under way
	ranks
)

// Anyone is the network of connections whose clients are not known: those of trusted proxies.
// It has no bound of its own, and loses a connection that is not Spare only where no other
// network has one.
const Anyone = ""

// share is the part of all places beyond which a network makes room for itself: half. Below it
// all others share the loss. Beyond it a network has what is free, but for idle connections: a
// class that loads a page behind one address at once must not cut its own answers.
const share = 2

// Pool is a number of places. Any number of goroutines may use one.
type Pool struct {
	max int

	mu       sync.Mutex
	count    int
	evicted  uint64
	networks map[string]*network
}

// network is the places of one network. Its lists hold *Place, the oldest first.
type network struct {
	name  string
	count int
	ranks [ranks]list.List
}

// Place is one connection's. Any number of goroutines may use one.
type Place struct {
	pool  *Pool
	evict func()

	// Guarded by the pool.
	network *network // nil: it has left
	rank    Rank
	element *list.Element
}

// New returns a pool of size places, two at least.
func New(size int) *Pool {
	return &Pool{max: max(size, 2), networks: make(map[string]*network)}
}

// Enter takes a place for a connection from a network. evict ends the connection that has to
// make room for another. It must not block and is called once at most, also while Enter runs;
// the place has left then. The caller calls Leave.
func (p *Pool) Enter(name string, rank Rank, evict func()) *Place {
	place := &Place{pool: p, evict: evict, rank: rank}
	p.mu.Lock()
	victim := p.victimLocked(name)
	p.enterLocked(place, name)
	p.mu.Unlock()
	victim.end()
	return place
}

// victimLocked takes a place away from another connection, if a newcomer of that network needs
// one. It returns nil where none is needed.
func (p *Pool) victimLocked(name string) *Place {
	own, full := p.networks[name], p.count >= p.max
	if name != Anyone && own != nil && own.count >= p.max/share && (full || own.ranks[Spare].Len() > 0) {
		return p.takeLocked(own.first())
	}
	if !full {
		return nil
	}
	return p.takeLocked(p.oldestLocked())
}

// Relieve ends one Spare or Waiting connection, to free its descriptor. It reports whether
// there was one.
func (p *Pool) Relieve() bool {
	p.mu.Lock()
	var victim *Place
	if first := p.oldestLocked(); first != nil && first.rank < Busy {
		victim = p.takeLocked(first)
	}
	p.mu.Unlock()
	victim.end()
	return victim != nil
}

// oldestLocked returns the place that goes first: the oldest Spare one of the network with the
// most places among those that have one, else the first of the network with the most places.
func (p *Pool) oldestLocked() *Place {
	var spare, largest *network
	for _, n := range p.networks {
		if n.ranks[Spare].Len() > 0 && (spare == nil || n.count > spare.count) {
			spare = n
		}
		if largest == nil || largest.name == Anyone || n.name != Anyone && n.count > largest.count {
			largest = n
		}
	}
	switch {
	case spare != nil:
		return spare.first()
	case largest != nil:
		return largest.first()
	}
	return nil
}

// first returns the place of the network that goes first.
func (n *network) first() *Place {
	for rank := range n.ranks {
		if e := n.ranks[rank].Front(); e != nil {
			return e.Value.(*Place)
		}
	}
	return nil
}

func (p *Pool) takeLocked(victim *Place) *Place {
	if victim != nil {
		p.leaveLocked(victim)
		p.evicted++
	}
	return victim
}

func (p *Pool) enterLocked(place *Place, name string) {
	n := p.networks[name]
	if n == nil {
		n = &network{name: name}
		p.networks[name] = n
	}
	place.network, place.element = n, n.ranks[place.rank].PushBack(place)
	n.count++
	p.count++
}

func (p *Pool) leaveLocked(place *Place) {
	n := place.network
	if n == nil {
		return
	}
	n.ranks[place.rank].Remove(place.element)
	place.network = nil
	p.count--
	if n.count--; n.count == 0 {
		delete(p.networks, n.name)
	}
}

// end tells a connection that it has lost its place.
func (place *Place) end() {
	if place != nil {
		place.evict()
	}
}

// Leave gives the place back. It may be called more than once.
func (place *Place) Leave() {
	place.pool.mu.Lock()
	defer place.pool.mu.Unlock()
	place.pool.leaveLocked(place)
}

// Rank changes the rank. The connection is the newest of that rank then.
func (place *Place) Rank(rank Rank) {
	place.pool.mu.Lock()
	defer place.pool.mu.Unlock()
	n := place.network
	if n == nil || place.rank == rank {
		return
	}
	n.ranks[place.rank].Remove(place.element)
	place.rank, place.element = rank, n.ranks[rank].PushBack(place)
}

// Move changes the network, when more is known of the connection. Other connections of that
// network may lose their place.
func (place *Place) Move(name string) {
	p := place.pool
	p.mu.Lock()
	if place.network == nil || place.network.name == name {
		p.mu.Unlock()
		return
	}
	p.leaveLocked(place)
	victim := p.victimLocked(name)
	p.enterLocked(place, name)
	p.mu.Unlock()
	victim.end()
}

// Stats are the figures of a pool.
type Stats struct {
	Count, Max int
	Evicted    uint64 // connections that made room for others, since the start
}

// Stats returns the present figures.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{p.count, p.max, p.evicted}
}
