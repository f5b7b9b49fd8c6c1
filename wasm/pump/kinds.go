package pump

import (
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// readers holds what reads a stream's bytes after the server's answer, by the stream's kind. It
// tells the page what has come, and returns when the other direction has ended. A kind that is
// missing here is refused. A new one is a file with its reader, and a line here.
var readers = map[wire.Kind]func(*stream, *mux.Stream) error{
	wire.TCP:       (*stream).readAll,
	wire.UDP:       (*stream).readAll, // records, which JavaScript takes apart
	wire.WebSocket: (*stream).readAll,
	wire.Resolve:   (*stream).readAll,
	wire.Listen:    (*stream).readAll,
	wire.Accept:    (*stream).readAll,
	wire.UDPBound:  (*stream).readAll, // as of UDP
}
