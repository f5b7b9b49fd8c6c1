//go:build !unix

package relay

import "github.com/sockmux/sockmux/shared/datagram"

// datagramReading has no state where a read waits with its buffer.
type datagramReading struct{}

// wait waits for a datagram and returns its record, which is valid until release. The memory of
// the record is held meanwhile.
func (in *incoming) wait() ([]byte, error) {
	n, from, err := in.socket.ReadFromUDPAddrPort(in.space()[:datagram.MaxPayload])
	if err != nil {
		return nil, err
	}
	in.add(n, from)
	return (*in.memory)[:in.used], nil
}
