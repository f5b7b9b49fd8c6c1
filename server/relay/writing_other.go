//go:build !unix

package relay

import "github.com/sockmux/sockmux/server/relay/egress"

// writing writes to a connection.
type writing struct{}

// now takes nothing.
func (*writing) now(egress.Conn, []byte) (int, error) { return 0, nil }
