// Package mux makes streams inside one byte stream: yamux, and on top of it what yamux cannot say (docs/PROTOCOL.md, sections 4 to 6).
//
// Each stream begins with a request of its opener and a result of its accepter. A control stream carries resets with a code and the exact
// size, the wish that the other end stop sending, and notices. yamux's own habits are set once, in yamuxConfig.
//
// Goroutines: a Session owns yamux's two, one that writes and one that reads control messages, and on the server one for each stream,
// which runs the handler. Close waits for all of them.
package mux
