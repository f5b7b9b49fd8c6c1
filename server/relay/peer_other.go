//go:build !unix

package relay

import "github.com/sockmux/sockmux/server/relay/egress"

// peerGone is not needed here: Winsock reports a reset to every call after it, not only
// to the first.
func peerGone(egress.Conn) bool { return false }
