package listener

import (
	"net"
	"net/http"
	"sync"

	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/session/limit"
)

// Connections keeps the connections of an http.Server within a pool, until they are upgraded.
// Its State is for http.Server.ConnState.
type Connections struct {
	pool    *places.Pool
	trusted Proxies

	mu    sync.Mutex
	known map[net.Conn]*places.Place
}

// NewConnections returns Connections without any. The connections of trusted proxies have no
// bound by network, because each carries many clients, unless a PROXY header names one.
func NewConnections(pool *places.Pool, trusted Proxies) *Connections {
	return &Connections{pool: pool, trusted: trusted, known: make(map[net.Conn]*places.Place)}
}

// State notes the new state of a connection. It never blocks.
func (c *Connections) State(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.enter(conn)
	case http.StateActive:
		c.active(conn)
	case http.StateIdle:
		if place := c.find(conn); place != nil {
			place.Rank(places.Spare)
		}
	case http.StateHijacked:
		upgrade(conn)
		c.leave(conn)
	case http.StateClosed:
		c.leave(conn)
	}
}

func (c *Connections) enter(conn net.Conn) {
	network := places.Anyone
	if tcp, ok := TCP(conn); ok && !c.proxied(tcp.RemoteAddr()) {
		network = limit.Network(tcp.RemoteAddr().String())
	}
	place := c.pool.Enter(network, places.Waiting, func() { cut(conn) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[conn] = place
}

// active notes that a request's header has come. With a PROXY header before it the client's
// address is known now.
func (c *Connections) active(conn net.Conn) {
	place := c.find(conn)
	if place == nil {
		return
	}
	if addr := conn.RemoteAddr(); !c.proxied(addr) {
		place.Move(limit.Network(addr.String()))
	}
	place.Rank(places.Busy)
}

func (c *Connections) find(conn net.Conn) *places.Place {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[conn]
}

func (c *Connections) leave(conn net.Conn) {
	c.mu.Lock()
	place := c.known[conn]
	delete(c.known, conn)
	c.mu.Unlock()
	if place != nil {
		place.Leave()
	}
}

func (c *Connections) proxied(addr net.Addr) bool {
	ip, err := addrOf(addr)
	return err == nil && c.trusted.Contains(ip)
}

// cut ends a connection at once. TLS would wait for the lock of a Write to say goodbye.
func cut(conn net.Conn) {
	if tcp, ok := TCP(conn); ok {
		_ = tcp.Close() // who reads or writes learns of it
		return
	}
	_ = conn.Close() // as above
}
