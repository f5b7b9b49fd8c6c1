// Package mux makes streams inside one byte stream: yamux, and on top of it what yamux
// cannot say (docs/PROTOCOL.md, sections 4 to 6).
//
//	session, err := mux.Client(conn, mux.Config{})
//	stream, err := session.Open(wire.Request{Kind: wire.TCP, Host: "example.org", Port: 80})
//	result, err := stream.Result(ctx)
//	_, err = stream.Write(question)
//	n, err := stream.Read(answer)
//
// Each stream begins with a request of its initiator and a result of its acceptor. It has a
// half that this end writes (send.go) and one that it reads (recv.go), each with the states
// of RFC 9000, section 3. A control stream carries resets with a code and the exact size,
// the wish that the other end stop sending, and notices. The frames are those of yamux's
// specification; the code is this package's own, for the reasons in docs/ARCHITECTURE.md.
//
// Goroutines: a Session owns one that reads frames, one that writes control messages while
// there are any, and on the server one for each stream, which runs the handler. Close waits
// for all of them. The goroutine that calls Write writes the frames of its stream.
package mux
