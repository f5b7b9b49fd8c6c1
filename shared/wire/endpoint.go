package wire

// Names of a server's endpoints and of what clients ask there (docs/PROTOCOL.md, section 2).
const (
	Subprotocol = "sockmux.v1" // of the carrier's WebSocket
	ConnectPath = "v1/connect" // below the server's prefix
	CheckPath   = "v1/check"   // likewise: why a page's dial may have failed
	// AttemptKey names the part of the query by which a page asks for the fate of its dial: a
	// random text of the page's own, so that nothing else can ask for it.
	AttemptKey = "attempt"
	OriginKey  = "origin" // of a question: the page's origin, which a browser may not say
)

// Bounds and codes of a WebSocket's close frame.
const (
	MaxReason     = 123  // bytes (RFC 6455, section 5.5: 125 with the code)
	CloseNormal   = 1000 // RFC 6455, section 7.4.1
	CloseText     = 3003 // a text message came; a script may not send 1003
	CloseOwnFirst = 3000 // a script may send CloseNormal and those
	CloseOwnLast  = 4999
	closeCodes    = 4000 // added to a Code
)

// FakeNetwork holds the addresses that Emscripten's getaddrinfo makes up for names
// (lib/libsockfs.js and libc's DNS emulation).
const FakeNetwork = "172.29.0.0/16"
