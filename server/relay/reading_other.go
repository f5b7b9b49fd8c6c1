//go:build !unix

package relay

import "github.com/sockmux/sockmux/server/egress"

// reading reads from a connection.
type reading struct{}

func (*reading) read(conn egress.Conn, b *buffer) (int, error) { return plainReading(conn, b) }
