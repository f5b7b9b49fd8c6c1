// Package wire encodes and decodes every message of the sockmux protocol, and holds the
// table of its codes.
//
// docs/PROTOCOL.md is the specification; testdata/vectors.json holds each message as
// bytes and as fields. The package is pure: it neither blocks nor starts goroutines nor
// knows a network. Decoders accept any input: they return an *Error with the code that
// the protocol demands, never panic, and never allocate more than the input's own length.
//
// Encoders append to a slice, as append does. Decoded byte slices alias the input.
package wire
