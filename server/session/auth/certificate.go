package auth

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// NameFrom says which part of a client certificate is the name.
type NameFrom string

// The parts. Where a certificate has several values of a part, the first is the name.
const (
	CommonName NameFrom = "cn"
	DNSName    NameFrom = "dns"
	Email      NameFrom = "email"
	URI        NameFrom = "uri" // such as a SPIFFE id
)

// Certificate takes client certificates that the TLS layer has verified: tls.Config must
// have ClientCAs (LoadClientCAs) and a ClientAuth that verifies what is given. It checks
// no revocation lists; certificates of short life are the remedy.
type Certificate struct {
	from NameFrom
}

var _ Authenticator = (*Certificate)(nil)

// NewCertificate returns an authenticator that names clients by that part of their certificates.
func NewCertificate(from NameFrom) (*Certificate, error) {
	switch from {
	case CommonName, DNSName, Email, URI:
		return &Certificate{from: from}, nil
	}
	return nil, fmt.Errorf("%q is not a part of a certificate: want cn, dns, email or uri", string(from))
}

// Authenticate looks only at chains that were verified, never at what a peer merely sent.
func (c *Certificate) Authenticate(_ context.Context, credentials Credentials) (*Identity, error) {
	if !c.Presented(credentials) {
		if credentials.TLS == nil {
			return nil, unauthorized("no credentials: the server wants %s, and this connection has no TLS", c.Wants())
		}
		return nil, unauthorized("no credentials: the server wants %s", c.Wants())
	}
	leaf := credentials.TLS.VerifiedChains[0][0]
	name, found := c.name(leaf)
	if !found {
		return nil, unauthorized("the client certificate %s has no %s", serial(leaf), c.from)
	}
	if bad := badName(name); bad != "" {
		return nil, unauthorized("the %s of the client certificate %s %s", c.from, serial(leaf), bad)
	}
	// The handshake has checked it too, but a session that TLS resumes or a connection
	// that is kept alive may be older.
	if !time.Now().Before(leaf.NotAfter) {
		return nil, expired("the client certificate of %s expired at %s", name, stamp(leaf.NotAfter))
	}
	return &Identity{Name: name, Method: MethodCertificate, Expires: leaf.NotAfter}, nil
}

func (c *Certificate) name(leaf *x509.Certificate) (string, bool) {
	var values []string
	switch c.from {
	case CommonName:
		values = []string{leaf.Subject.CommonName}
	case DNSName:
		values = leaf.DNSNames
	case Email:
		values = leaf.EmailAddresses
	case URI:
		for _, uri := range leaf.URIs {
			values = append(values, uri.String())
		}
	}
	if len(values) == 0 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

func serial(leaf *x509.Certificate) string { return fmt.Sprintf("%x", leaf.SerialNumber) }

// Presented implements Method.
func (c *Certificate) Presented(credentials Credentials) bool {
	return credentials.TLS != nil && len(credentials.TLS.VerifiedChains) > 0 && len(credentials.TLS.VerifiedChains[0]) > 0
}

// Wants implements Method.
func (c *Certificate) Wants() string { return "a client certificate" }

// LoadClientCAs reads the certificates of the authorities that sign client certificates,
// for tls.Config.ClientCAs. Errors name the file.
func LoadClientCAs(path string) (*x509.CertPool, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the client authorities: %w", err)
	}
	pool := x509.NewCertPool()
	number := 0
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		number++
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("%s: PEM block %d is a %s; want CERTIFICATE", path, number, block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: PEM block %d: %w", path, number, err)
		}
		if !certificate.IsCA {
			return nil, fmt.Errorf("%s: PEM block %d: the certificate of %q is not that of an authority", path, number, certificate.Subject)
		}
		pool.AddCert(certificate)
	}
	if number == 0 {
		return nil, fmt.Errorf("%s: no certificate in PEM", path)
	}
	return pool, nil
}
