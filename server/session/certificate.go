package session

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/sockmux/sockmux/shared/wire"
)

// certificate returns the certificate that the client of a connection has proved to hold, or
// nil if it has shown none.
func certificate(state *tls.ConnectionState) *x509.Certificate {
	if state == nil || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil
	}
	return state.VerifiedChains[0][0]
}

// checkCertificate returns an error with the code expired if the client of a connection has
// shown a certificate that is no longer trusted.
func (r *Registry) checkCertificate(state *tls.ConnectionState) error {
	shown := certificate(state)
	if shown == nil || r.config.Trusts == nil {
		return nil
	}
	if err := r.config.Trusts(state); err != nil {
		return wire.NewError(wire.Expired, fmt.Sprintf("the client certificate of %s is no longer trusted: %s", holder(shown), err))
	}
	return nil
}

// sameCertificate returns an error with the code unauthorized if the session was opened with a
// client certificate and the connection that wants it shows none of the same holder. A newer
// certificate of that holder is as good. The secret alone does not suffice: a program that has read
// it must not get a session that only the holder of a key could open.
func (s *session) sameCertificate(state *tls.ConnectionState) error {
	s.mu.Lock()
	opened, now := certificate(s.secured), certificate(state)
	s.mu.Unlock()
	switch {
	case opened == nil:
		return nil
	case now == nil:
		return wire.NewError(wire.Unauthorized, "the session was opened with a client certificate, and this connection shows none")
	case !sameHolder(opened, now):
		return wire.NewError(wire.Unauthorized, fmt.Sprintf("the session was opened with the client certificate of %s, and this connection shows that of %s", holder(opened), holder(now)))
	}
	return nil
}

// sameHolder reports whether two certificates name the same subject, in every form.
func sameHolder(a, b *x509.Certificate) bool {
	return bytes.Equal(a.Raw, b.Raw) || bytes.Equal(a.RawSubject, b.RawSubject) && bytes.Equal(otherNames(a), otherNames(b))
}

// otherNames is the subject alternative name of a certificate as it is encoded (RFC 5280,
// section 4.2.1.6).
func otherNames(c *x509.Certificate) []byte {
	for _, extension := range c.Extensions {
		if extension.Id.String() == "2.5.29.17" {
			return extension.Value
		}
	}
	return nil
}

// holder names a certificate for people.
func holder(c *x509.Certificate) string {
	if name := c.Subject.String(); name != "" {
		return name
	}
	return fmt.Sprintf("serial number %x", c.SerialNumber)
}
