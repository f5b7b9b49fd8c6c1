//go:build !unix

package relay

// datagramReading has no state where a read waits with its buffer.
type datagramReading struct{}

// wait waits for a datagram and returns its record, which is valid until release.
func (in *incoming) wait() ([]byte, error) { return in.waitPlain() }
