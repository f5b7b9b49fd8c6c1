package relay

import (
	"maps"
	"slices"

	"github.com/sockmux/sockmux/shared/wire"
)

// kinds are the kinds of streams that are served, each with the method that answers one and sees
// it to its end: answerOnce does that for a question. A kind that is missing here is refused.
// A new kind is a row of wire.Kind, a line here, and a file with its method.
var kinds = map[wire.Kind]func(*pipe){
	wire.TCP:       (*pipe).tcp,
	wire.UDP:       (*pipe).udp,
	wire.WebSocket: (*pipe).websocket,
	wire.Resolve:   (*pipe).names,
	wire.Listen:    (*pipe).listen,
	wire.Accept:    (*pipe).accept,
	wire.UDPBound:  (*pipe).udpBound,
}

// Kinds returns the kinds of streams that a relay serves, in the order of their numbers.
func Kinds() []wire.Kind { return slices.Sorted(maps.Keys(kinds)) }
