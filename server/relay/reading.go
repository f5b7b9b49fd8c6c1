package relay

import "github.com/sockmux/sockmux/server/relay/egress"

// plainReading reads into a buffer that is held while it waits.
func plainReading(conn egress.Conn, b *buffer) (int, error) { return conn.Read(b.get()) }
