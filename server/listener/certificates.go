package listener

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// watchInterval is how often Watch looks at the files. Three small files are read each
// time: contents cannot be mistaken, while times can (files that are renamed into place,
// folders that are links).
const watchInterval = 10 * time.Second

// expiresSoon is when a certificate is worth a warning: most authorities renew earlier than that.
const expiresSoon = 7 * 24 * time.Hour

// ClientCerts says what is asked of clients; it needs Files.ClientCA but for NoClientCerts.
type ClientCerts int

// The values of ClientCerts.
const (
	NoClientCerts       ClientCerts = iota // clients are not asked
	OptionalClientCerts                    // one that is sent must be good
	RequireClientCerts                     // the handshake fails without a good one
)

// Files name the PEM files of the server's TLS.
type Files struct {
	Cert     string // the server's certificate, followed by those that lead to its authority
	Key      string
	ClientCA string // authorities of clients' certificates; empty: clients are not asked
	Clients  ClientCerts
}

// Certificates are the server's certificate and the authorities of its clients, as the
// files had them when they were last good. All methods may be called at any time.
type Certificates struct {
	files  Files
	logger *slog.Logger
	now    atomic.Pointer[loaded]
}

// loaded is one state of the files.
type loaded struct {
	config *tls.Config
	sum    [sha256.Size]byte // of the files' contents
}

// LoadCertificates reads the files. The error says which one is wrong and why. logger may be nil.
func LoadCertificates(files Files, logger *slog.Logger) (*Certificates, error) {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if files.Clients != NoClientCerts && files.ClientCA == "" {
		return nil, errors.New("client certificates are asked for and no authority is named that signs them")
	}
	c := &Certificates{files: files, logger: logger}
	first, err := c.read()
	if err != nil {
		return nil, err
	}
	c.now.Store(first)
	c.warn(first)
	return c, nil
}

// Config returns what the listener needs. Every handshake takes the certificates of that
// moment; connections that exist go on with theirs.
func (c *Certificates) Config() *tls.Config {
	config := baseConfig()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load().config, nil }
	// Never called, since every handshake gets its own config; but without one crypto/tls
	// takes the config for one that has no certificate.
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &c.now.Load().config.Certificates[0], nil
	}
	return config
}

// Reload reads the files anew. On an error everything stays as it was. changed says
// whether the files differ from what is in use.
func (c *Certificates) Reload() (changed bool, err error) {
	next, err := c.read()
	if err != nil {
		return false, err
	}
	if next.sum == c.now.Load().sum {
		return false, nil
	}
	c.now.Store(next)
	leaf := next.config.Certificates[0].Leaf
	c.logger.Info("certificate loaded", "file", c.files.Cert, "names", leaf.DNSNames, "expires", leaf.NotAfter.UTC().Format(time.RFC3339))
	c.warn(next)
	return true, nil
}

// Trusts returns an error if the certificate that a client has shown would not be taken any
// more: because its authority is gone from the file.
func (c *Certificates) Trusts(client *tls.ConnectionState) error {
	if len(client.PeerCertificates) == 0 {
		return nil
	}
	authorities := c.now.Load().config.ClientCAs
	if authorities == nil {
		return errors.New("clients are not asked for certificates") // and nil would stand for the system's
	}
	options := x509.VerifyOptions{
		Roots: authorities, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, intermediate := range client.PeerCertificates[1:] {
		options.Intermediates.AddCert(intermediate)
	}
	_, err := client.PeerCertificates[0].Verify(options)
	return err
}

// Watch reloads whenever the files change, until ctx ends, and calls changed then. It
// logs what is wrong with them, each mistake once.
func (c *Certificates) Watch(ctx context.Context, changed func()) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	c.watch(ctx, tick.C, changed)
}

func (c *Certificates) watch(ctx context.Context, tick <-chan time.Time, changed func()) {
	var said string
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		different, err := c.Reload()
		if err == nil {
			said = ""
			if different {
				changed()
			}
			continue
		}
		// A file that is just being written is wrong for a moment, too: the old
		// certificate serves on.
		if text := err.Error(); text != said {
			c.logger.Error("certificate not reloaded, the old one stays", "error", err)
			said = text
		}
	}
}

// baseConfig is what both sources of certificates have in common. HTTP/2 is not offered:
// a WebSocket needs HTTP/1.1 (coder/websocket), and a handful of files gains nothing from
// it.
func baseConfig() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
}

func (c *Certificates) read() (*loaded, error) {
	certPEM, err := os.ReadFile(c.files.Cert)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(c.files.Key)
	if err != nil {
		return nil, fmt.Errorf("key of the certificate: %w", err)
	}
	pair, err := keyPair(c.files, certPEM, keyPEM)
	if err != nil {
		return nil, err
	}
	config := baseConfig()
	config.Certificates = []tls.Certificate{pair}
	var caPEM []byte
	if c.files.ClientCA != "" {
		if caPEM, err = os.ReadFile(c.files.ClientCA); err != nil {
			return nil, fmt.Errorf("authority of client certificates: %w", err)
		}
		if config.ClientCAs, err = authorities(c.files.ClientCA, caPEM); err != nil {
			return nil, err
		}
		config.ClientAuth = map[ClientCerts]tls.ClientAuthType{
			NoClientCerts: tls.NoClientCert, OptionalClientCerts: tls.VerifyClientCertIfGiven, RequireClientCerts: tls.RequireAndVerifyClientCert,
		}[c.files.Clients]
		// A ticket of an earlier handshake would let a client in whose authority is gone
		// from the file.
		config.SessionTicketsDisabled = true
	}
	return &loaded{config: config, sum: sha256.Sum256(bytes.Join([][]byte{certPEM, keyPEM, caPEM}, []byte{0}))}, nil
}

// keyPair says in our words what is wrong with a pair of files, in the order in which
// people find it out.
func keyPair(files Files, certPEM, keyPEM []byte) (tls.Certificate, error) {
	if !holds(certPEM, "CERTIFICATE") {
		return tls.Certificate{}, fmt.Errorf("certificate: %s holds no PEM block CERTIFICATE", files.Cert)
	}
	if !holds(keyPEM, "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY") {
		if holds(keyPEM, "ENCRYPTED PRIVATE KEY") {
			return tls.Certificate{}, fmt.Errorf("key of the certificate: %s is encrypted: decrypt it with openssl pkey", files.Key)
		}
		return tls.Certificate{}, fmt.Errorf("key of the certificate: %s holds no PEM block PRIVATE KEY", files.Key)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate %s with key %s: %w", files.Cert, files.Key, err)
	}
	return pair, nil
}

// holds reports whether there is a PEM block of one of the types.
func holds(text []byte, types ...string) bool {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return false
		}
		for _, t := range types {
			if block.Type == t {
				return true
			}
		}
		text = rest
	}
}

// authorities reads every certificate of a file; one that does not parse is an error, not left out.
func authorities(file string, text []byte) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), 0
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("authority of client certificates: %s: certificate %d: %w", file, found+1, err)
		}
		pool.AddCert(authority)
		found++
	}
	if found == 0 {
		return nil, fmt.Errorf("authority of client certificates: %s holds no PEM block CERTIFICATE", file)
	}
	return pool, nil
}

// warn says what works and will not for long.
func (c *Certificates) warn(l *loaded) {
	leaf := l.config.Certificates[0].Leaf
	switch left := time.Until(leaf.NotAfter); {
	case time.Now().Before(leaf.NotBefore):
		c.logger.Warn("the certificate is not valid yet", "file", c.files.Cert, "from", leaf.NotBefore.UTC().Format(time.RFC3339))
	case left <= 0:
		c.logger.Warn("the certificate has expired", "file", c.files.Cert, "expired", leaf.NotAfter.UTC().Format(time.RFC3339))
	case left < expiresSoon:
		c.logger.Warn("the certificate expires soon", "file", c.files.Cert, "expires", leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	if len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 {
		c.logger.Warn("browsers refuse the certificate: it has no subject alternative name", "file", c.files.Cert, "subject", cmp.Or(leaf.Subject.CommonName, "-"))
	}
}

// Expires is when the certificate in use ends.
func (c *Certificates) Expires() time.Time { return c.now.Load().config.Certificates[0].Leaf.NotAfter }
