package relay

import (
	"errors"
	"sync/atomic"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// drop says why a datagram was dropped.
type drop uint8

// The reasons. Those of datagrams from peers stand last.
const (
	droppedMalformed  drop = iota // without an address, or with one too many
	droppedDenied                 // by the policy
	droppedLimit                  // beyond a limit of the client's
	droppedUnresolved             // the name has no address
	droppedFull                   // too many wait for names
	droppedUnsent                 // the system does not send it

	droppedStranger // from a peer to which the client has not sent
	droppedLate     // the client takes them too slowly
	drops           // how many reasons there are
)

var dropNames = [drops]string{"malformed", "denied", "limit", "unresolved", "full", "unsent", "stranger", "late"}

// dropOf returns the reason for an error of policy, limits or resolver.
func dropOf(err error) drop {
	var refused *limit.Refused
	switch {
	case errors.As(err, &refused):
		return droppedLimit
	case codeOf(err) == wire.Denied, codeOf(err) == wire.FakeAddress, codeOf(err) == wire.InvalidRequest:
		return droppedDenied
	}
	return droppedUnresolved
}

// counts are the datagrams of all streams since the start.
type counts struct {
	up, down  atomic.Uint64
	dropped   [drops]atomic.Uint64
	receiving receiving
}

func (c *counts) drop(why drop) { c.dropped[why].Add(1) }

// Datagrams are counted since the relay was made.
type Datagrams struct {
	Up, Down               uint64            // given to targets, to clients
	DroppedUp, DroppedDown map[string]uint64 // by reason
}

// Datagrams returns how many datagrams streams have carried and dropped.
func (r *Relay) Datagrams() Datagrams {
	c := &r.live.datagrams
	c.receiving.countLost()
	all := Datagrams{Up: c.up.Load(), Down: c.down.Load(), DroppedUp: make(map[string]uint64), DroppedDown: make(map[string]uint64)}
	for why, name := range dropNames {
		to := all.DroppedUp
		if drop(why) >= droppedStranger {
			to = all.DroppedDown
		}
		to[name] = c.dropped[why].Load()
	}
	return all
}
