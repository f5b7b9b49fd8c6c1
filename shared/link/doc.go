// Package link makes one ordered, acknowledged byte stream out of successive carriers
// (docs/PROTOCOL.md, section 3).
//
// A Link is what shared/mux takes for its connection. It lives until it is closed; the
// carrier under it may be lost and replaced any number of times. Each byte stays in the
// link until the other end has acknowledged it, so nothing is lost with a carrier, and
// the bound on these bytes is the back-pressure that a browser's WebSocket does not have.
//
// Goroutines: New starts none. Run owns the two that drive a carrier and has ended both
// when it returns. Read may be called by one goroutine at a time, Write by another.
package link
