// Package mux makes streams inside one byte stream: yamux, and on top of it what yamux cannot say (docs/PROTOCOL.md, sections 4 to 6).
//
// Each stream begins with a request of its opener and a result of its accepter. A control stream carries resets with a code and the exact
// size, the wish that the other end stop sending, and notices. The frames are
// those of yamux's specification; the code is this package's own, for the reasons in docs/ARCHITECTURE.md.
//
// Goroutines: a Session owns one that reads frames, one that reads control messages, one that writes them while there are any, and on the server one for each
// stream, which runs the handler. Close waits for all of them. Frames of streams are written by whoever calls Write.
package mux
