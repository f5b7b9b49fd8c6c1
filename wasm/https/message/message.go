// Package message numbers what passes between the page and the program of HTTP and TLS. Each
// message has a kind, the id of what it is about, a number and bytes. internal/jstables writes
// the same numbers for JavaScript.
package message

// To the program, about streams of the tunnel.
const (
	StreamOpened  = 1 // the target has accepted
	StreamData    = 2 // bytes of the target
	StreamEOF     = 3 // the target has ended its direction
	StreamWritten = 4 // number: bytes that have left
	StreamClosed  = 5 // last. number: a code of shared/wire; bytes: its text
)

// To the program, about requests and TLS connections. The page chooses their ids.
const (
	Agent   = 6  // a set of TLS settings by its number. bytes: see client.Agent
	Forget  = 7  // an agent is not used again
	Request = 8  // number: the agent; bytes: see client.Request
	Secure  = 9  // TLS over the stream with this id. number: the agent; bytes: server name, NUL, protocols with commas
	Give    = 10 // bytes of a request's body, or for a TLS connection
	Finish  = 11 // the end of those. number 1: ends a TLS connection behind them
	Abort   = 12 // ends a request or a TLS connection at once
	Grant   = 13 // number: bytes that the page takes more of an answer's body or of a TLS connection
)

// To the page, about streams of the tunnel. The program chooses the ids of those that it opens.
const (
	Open        = 20 // bytes: host, NUL, port
	Write       = 21 // bytes for the target
	CloseWrite  = 22 // the end of those
	Close       = 23 // ends the stream behind what was written
	StreamGrant = 24 // number: bytes that the target may send more
)

// To the page, about requests and TLS connections.
const (
	Head   = 30 // the head of an answer: see client.encodeHead; or bytes: the protocol that TLS has agreed on
	Body   = 31 // bytes of an answer's body, or of a TLS connection
	End    = 32 // the end of those. For a request it is the last message
	Failed = 33 // last. number: a code of shared/wire; bytes: its text
	Took   = 34 // number: bytes of Give that have been used
	Done   = 35 // last: a TLS connection has ended as it should
)

// Window is how many bytes one side sends ahead of grants, in each direction of a stream, of a
// body and of a TLS connection.
const Window = 1048576

// Ahead is how many bytes of writes wait at most before the writer does.
const Ahead = 262144
