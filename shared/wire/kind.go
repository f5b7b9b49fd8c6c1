package wire

import "github.com/sockmux/sockmux/shared/decimal"

// Kind says what a stream is.
type Kind uint8

// The kinds of streams.
const (
	TCP       Kind = 1
	UDP       Kind = 2
	WebSocket Kind = 3
	Resolve   Kind = 4
	Listen    Kind = 5 // the host and port are those to bind; each incoming connection is a record
	Accept    Kind = 6 // takes an incoming connection, whose number is the port
	UDPBound  Kind = 7 // a udp stream whose host and port are those to bind; strangers may send
	Control   Kind = 255
)

// kindRow describes a kind of streams.
type kindRow struct {
	name       string
	host, port bool         // its requests have one
	anyHost    bool         // a request without a host is one too
	needs      Capabilities // that both ends must have
}

// row is the table of kinds. ok is false for a kind that is not in it.
func (k Kind) row() (row kindRow, ok bool) {
	switch k {
	case TCP:
		return kindRow{"tcp", true, true, false, 0}, true
	case UDP:
		return kindRow{"udp", true, true, true, CanUDP}, true
	case WebSocket:
		return kindRow{"websocket", true, true, false, CanWebSocket}, true
	case Resolve:
		return kindRow{"resolve", true, false, false, CanResolve}, true
	case Listen:
		return kindRow{"listen", true, true, false, CanListen}, true
	case Accept:
		return kindRow{"accept", false, true, false, CanListen}, true
	case UDPBound:
		return kindRow{"udp_bound", true, true, false, CanBindUDP}, true
	case Control:
		return kindRow{"control", false, false, false, 0}, true
	}
	return kindRow{}, false
}

// Kinds returns every kind, in the order of their numbers.
func Kinds() []Kind {
	var all []Kind
	for k := range 256 {
		if _, ok := Kind(k).row(); ok {
			all = append(all, Kind(k))
		}
	}
	return all
}

// Needs returns the capabilities that both ends must have for streams of these kinds.
func Needs(kinds ...Kind) (all Capabilities) {
	for _, k := range kinds {
		row, _ := k.row()
		all |= row.needs
	}
	return all
}

// String returns the kind's name, which is also its metric label.
func (k Kind) String() string {
	if row, ok := k.row(); ok {
		return row.name
	}
	return "kind " + decimal.Of(k)
}
