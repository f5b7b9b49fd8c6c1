package relay

import "github.com/sockmux/sockmux/shared/wire"

// kinds are the kinds of streams that are served, each with the method that answers one and sees
// it to its end. A kind that is missing here is refused because it is missing.
var kinds = map[wire.Kind]func(*pipe){
	wire.TCP:     (*pipe).tcp,
	wire.Resolve: (*pipe).names,
}
