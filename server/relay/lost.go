package relay

import (
	"net"
	"sync"
)

// lost counts what the system has dropped of a stream's datagrams because a receive buffer was
// full. Any number of goroutines may use it. The zero value is ready.
type lost struct {
	mu      sync.Mutex
	counted map[*net.UDPConn]uint32 // by the system's counter, which may wrap
}

// count counts what was dropped since the last call for the socket. Of a closed socket it counts
// nothing.
func (l *lost) count(c *counts, socket *net.UDPConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, ok := lostBy(socket)
	if !ok || all == l.counted[socket] {
		return
	}
	c.dropped[droppedLate].Add(uint64(all - l.counted[socket]))
	if l.counted == nil {
		l.counted = make(map[*net.UDPConn]uint32)
	}
	l.counted[socket] = all
}

// receiving is the sockets that receive, of which the system is asked how much it has dropped. Any
// number of goroutines may use it. The zero value is ready.
type receiving struct {
	mu   sync.Mutex
	open map[*datagrams]struct{}
}

func (r *receiving) add(d *datagrams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = make(map[*datagrams]struct{})
	}
	r.open[d] = struct{}{}
}

func (r *receiving) remove(d *datagrams) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, d)
}

// countLost counts what the system has dropped so far.
func (r *receiving) countLost() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d := range r.open {
		d.countLost()
	}
}
