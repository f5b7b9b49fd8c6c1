package session

import (
	"crypto/tls"
	"net/http"
)

// Peer is who is at the other end of a carrier, as far as the connection shows it.
// It must not change afterwards.
type Peer struct {
	// Address is the client's own, for logs and for what is counted by client: what the
	// connection shows or, where that is a trusted proxy, what the proxy says. An address
	// with its port, or without one where the port is not known.
	Address string
	// Direct is the other end of the TCP connection; empty: as Address.
	Direct string
	// Header is that of the upgrade; may be nil.
	Header http.Header
	// TLS describes the connection; nil without TLS.
	TLS *tls.ConnectionState
}

func (p Peer) String() string { return p.Address }
