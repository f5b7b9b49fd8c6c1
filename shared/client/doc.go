// Package client keeps a session with a server: it dials when the first stream is opened,
// sends the hello, resumes the session over a new carrier when one is lost, and starts
// another session when the server goes away or the old one cannot be resumed.
//
// Streams never wait for any of that: Open returns at once, what is written is kept, and
// a stream that cannot be served any more says why.
//
// Goroutines: each session has one, besides those of link and mux. Close waits for all.
package client
