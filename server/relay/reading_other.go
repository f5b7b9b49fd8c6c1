//go:build !unix

package relay

import "github.com/sockmux/sockmux/server/relay/egress"

// reading reads from a connection.
type reading struct{}

func (*reading) read(conn egress.Conn, b *buffer) (int, error) { return plainReading(conn, b) }

// direct reports whether there is now.
func (*reading) direct() bool { return false }

// now is not called.
func (*reading) now([]byte) (int, error) { return 0, nil }
