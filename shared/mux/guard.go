package mux

import (
	"strconv"
	"sync/atomic"

	"github.com/sockmux/sockmux/shared/wire"
)

// maxPings is how many yamux pings may wait for their answers, each of which costs a goroutine of yamux. No end of version 1 sends any; yamux reads 4 KiB at once,
// which hold 341.
const maxPings = 512

// guard looks at the other end's frames before yamux does. yamux knows one size of window for all streams, which is larger than what is granted (windows), answers each ping
// in a goroutine however many wait, takes streams with any number, and ends without a word for some mistakes.
type guard struct {
	accepts bool // the other end may open streams
	windows *windows
	pings   atomic.Int32
	waiting atomic.Int32 // streams that the other end has opened and nobody has taken
}

// check returns what is wrong with a frame, nil for nothing.
func (g *guard) check(h header) *wire.Error {
	if h[0] != 0 {
		return wire.NewError(wire.Protocol, "yamux version "+strconv.Itoa(int(h[0]))+", not 0")
	}
	switch h.kind() {
	case typePing:
		if h.flags()&flagSYN != 0 && g.pings.Add(1) > maxPings {
			return wire.NewError(wire.Protocol, "more than "+strconv.Itoa(maxPings)+" yamux pings wait for answers")
		}
		return nil
	case typeGoAway:
		return nil
	case typeData, typeWindowUpdate:
	default:
		return wire.NewError(wire.Protocol, "unknown yamux frame type "+strconv.Itoa(int(h.kind())))
	}
	if h.flags()&flagSYN != 0 {
		if !g.accepts || h.stream()%2 == 0 {
			return wire.NewError(wire.Protocol, "stream "+decimal(h.stream())+" may not be opened by this end")
		}
		// yamux would answer each with a reset and read nothing meanwhile, acknowledgements neither: where many come, for ever. One more may be here than wait: it
		// is told of its taking before it is counted out.
		if g.waiting.Add(1) > backlog+1 {
			return wire.NewError(wire.Protocol, "more than "+strconv.Itoa(backlog)+" streams wait to be taken")
		}
		g.windows.begin(h.stream())
	}
	if h.kind() == typeData && !g.windows.receive(h.stream(), h.length()) {
		return wire.NewError(wire.Protocol, "stream "+decimal(h.stream())+" has sent more than its window")
	}
	return nil
}

// sent notes a frame of this end.
func (g *guard) sent(h header) {
	switch {
	case h.kind() == typePing && h.flags()&flagACK != 0:
		g.pings.Add(-1)
	case h.kind() == typeWindowUpdate && h.flags()&flagRST != 0:
		g.windows.forget(h.stream()) // refused by yamux: nobody else will
	}
}

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
