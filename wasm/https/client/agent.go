package client

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/sockmux/sockmux/wasm/https/streams"
)

const (
	// handshakeTimeout is how long a server may take for the handshake of TLS.
	handshakeTimeout = 30 * time.Second

	// headTimeout is how long a server may take from a request to the head of its answer. Browsers
	// wait as long.
	headTimeout = 5 * time.Minute

	// idleTimeout is how long a connection without requests is kept.
	idleTimeout = 60 * time.Second

	// maxConns is the number of connections to a host, as browsers have it. Requests over HTTP/2
	// share one.
	maxConns = 6

	// maxIdle is the number of connections without requests, to all hosts.
	maxIdle = 32

	// maxHead is the size of an answer's head. Chrome takes as much.
	maxHead = 256 << 10

	// pingAfter is the silence after which a connection of HTTP/2 is probed. It fails if no answer
	// comes within pingTimeout.
	pingAfter, pingTimeout = 30 * time.Second, 15 * time.Second

	// sessions is the number of hosts whose TLS sessions are resumed.
	sessions = 64
)

// agent makes connections with one set of TLS settings, and keeps them for later requests.
type agent struct {
	streams   *streams.Set
	config    *tls.Config
	transport *http.Transport
	gates     gates
}

// newAgent reads the bytes of the message Agent: "1" if only these roots count, else ""; roots as
// PEM; pins with commas, each the base64 form of the SHA-256 of a public key (RFC 7469, 2.4).
// NULs are between them.
func newAgent(set *streams.Set, settings string) (*agent, error) {
	only, rest, _ := strings.Cut(settings, "\x00")
	roots, pins, _ := strings.Cut(rest, "\x00")
	pool, err := rootsOf(roots, only != "")
	if err != nil {
		return nil, err
	}
	a := &agent{streams: set, config: &tls.Config{
		RootCAs: pool, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
	}}
	if pins != "" {
		a.config.VerifyConnection = checkPins(strings.Split(pins, ","))
	}
	a.transport = &http.Transport{
		DialContext:            func(ctx context.Context, _, address string) (net.Conn, error) { return dial(ctx, set, address) },
		DialTLSContext:         a.dialTLS,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        maxConns,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxConns,
		IdleConnTimeout:        idleTimeout,
		ResponseHeaderTimeout:  headTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHead,
		WriteBufferSize:        bufferSize,
		ReadBufferSize:         bufferSize,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout: pingAfter, PingTimeout: pingTimeout,
			MaxReceiveBufferPerStream: 4 << 20, MaxReceiveBufferPerConnection: 16 << 20,
		},
	}
	return a, nil
}

// dial returns no typed nil.
func dial(ctx context.Context, set *streams.Set, address string) (net.Conn, error) {
	c, err := set.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (a *agent) dialTLS(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, a.streams, address)
	if err != nil {
		return nil, err
	}
	return a.secure(ctx, c, host, []string{"h2", "http/1.1"})
}

// secure does the handshake of TLS. It closes the connection if that fails.
func (a *agent) secure(ctx context.Context, c net.Conn, host string, protocols []string) (*tls.Conn, error) {
	config := a.config.Clone()
	config.ServerName = host
	config.NextProtos = protocols
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errHandshakeTimeout)
	defer cancel()
	secured := tls.Client(c, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		if context.Cause(ctx) == errHandshakeTimeout {
			err = errHandshakeTimeout
		}
		return nil, &handshakeError{host, err}
	}
	return secured, nil
}

// handshakeError is the error of a handshake of TLS with a host.
type handshakeError struct {
	host string
	err  error
}

func (e *handshakeError) Error() string { return "TLS: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

var errHandshakeTimeout = errors.New("the server did not finish the handshake in time")

// pinError is the error of a server none of whose certificates has a wanted key.
type pinError struct{ have string }

func (*pinError) Error() string { return "no certificate has a pinned key" }

// checkPins returns a check for tls.Config.VerifyConnection: that one certificate of a chain that
// was verified has one of the keys.
func checkPins(pins []string) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		for _, chain := range state.VerifiedChains {
			for _, cert := range chain {
				for _, pin := range pins {
					if keyHash(cert) == pin {
						return nil
					}
				}
			}
		}
		return &pinError{keyHash(state.PeerCertificates[0])}
	}
}

func keyHash(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// builtin parses the roots of the program once.
var builtin = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil: // a root that Go does not read is none
		case root.Constraint == nil:
			pool.AddCert(cert)
		default:
			pool.AddCertWithConstraint(cert, root.Constraint)
		}
	}
	return pool
})

// rootsOf returns the built-in roots, or none, with those of a text.
func rootsOf(text string, only bool) (*x509.CertPool, error) {
	if text == "" && !only {
		return builtin(), nil
	}
	pool := x509.NewCertPool()
	if !only {
		pool = builtin().Clone()
	}
	count := 0
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		pool.AddCert(cert)
		count++
	}
	if count == 0 {
		return nil, errors.New("roots holds no certificate in PEM")
	}
	return pool, nil
}
