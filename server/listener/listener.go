// Package listener brings connections to the HTTP server: TLS from files that may change
// or from an ACME authority, plain behind a proxy, and the client's address as trusted
// proxies tell it (PROXY protocol, X-Forwarded-For).
//
// Nothing here decides who may connect. What it hands on is what later decisions stand
// on: the address, the scheme and the client's certificate, each only from those who are
// trusted to tell it.
package listener

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"github.com/pires/go-proxyproto"
)

// headerTimeout is how long a trusted proxy may take for its PROXY header, which it sends
// before anything else, in one packet.
const headerTimeout = 5 * time.Second

// Config says how connections arrive.
type Config struct {
	// Address is HOST:PORT for net.Listen.
	Address string

	// TLS ends TLS here; nil: connections are plain. Certificates and ACME give one.
	TLS *tls.Config

	// MSS bounds the segments of connections, in bytes; 0: the system decides. For paths on
	// which longer packets vanish. It needs CanBoundSegments.
	MSS int

	// ProxyProtocol are the proxies that begin every connection with a PROXY header,
	// version 1 or 2; the header's source becomes the connection's RemoteAddr. A
	// connection of theirs without one fails at its first read. Any other client is taken
	// as it is, and a header from it is no HTTP. nil: no proxy sends them. (HAProxy's
	// proxy-protocol.txt, 2.)
	ProxyProtocol Proxies

	// Unfold are the proxies whose requests must have no folded header field, because their
	// headers are trusted. It needs plain connections: neither TLS nor ProxyProtocol.
	Unfold Proxies

	// Logger is told when connections cannot be accepted, and Relieve is called then (Report);
	// nil: neither.
	Logger  *slog.Logger
	Relieve func() bool
}

// Listen listens. The caller closes the listener. Its connections block at their first
// read or RemoteAddr until the PROXY header has come, for headerTimeout at most;
// http.Server does both in a goroutine of the connection.
func Listen(ctx context.Context, config Config) (net.Listener, error) {
	var listening net.ListenConfig
	if config.MSS > 0 {
		listening.Control = func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) { failed = boundSegments(fd, config.MSS) })
			if err = cmp.Or(err, failed); err != nil {
				return fmt.Errorf("segments of %d bytes: %w", config.MSS, err)
			}
			return nil
		}
	}
	l, err := listening.Listen(ctx, "tcp", config.Address)
	if err != nil {
		return nil, err
	}
	return Wrap(l, config), nil
}

// Wrap does what Listen does with a listener that exists, such as one of systemd or of a test.
// It does not read Config.Address.
func Wrap(l net.Listener, config Config) net.Listener {
	if config.Logger != nil {
		l = Report(l, config.Logger, config.Relieve)
	}
	if len(config.ProxyProtocol) > 0 {
		l = &proxyproto.Listener{
			Listener:          l,
			ReadHeaderTimeout: headerTimeout,
			ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
				addr, err := addrOf(o.Upstream)
				if err != nil {
					return proxyproto.REJECT, fmt.Errorf("%w: %w", proxyproto.ErrInvalidUpstream, err) // ends this connection only
				}
				if config.ProxyProtocol.Contains(addr) {
					return proxyproto.REQUIRE, nil
				}
				return proxyproto.SKIP, nil
			},
		}
	}
	if config.TLS == nil && len(config.ProxyProtocol) == 0 && len(config.Unfold) > 0 {
		l = unfolding{l, config.Unfold}
	}
	if config.TLS != nil {
		l = tls.NewListener(l, config.TLS)
	}
	return l
}

// TCP gives the TCP socket below a connection of Listen, for socket options. It never
// blocks. It must not be read or written.
func TCP(c net.Conn) (*net.TCPConn, bool) {
	for {
		switch outer := c.(type) {
		case *net.TCPConn:
			return outer, true
		case *tls.Conn:
			c = outer.NetConn()
		case *headConn:
			c = outer.Conn
		case *proxyproto.Conn:
			c = outer.Raw()
		default:
			return nil, false
		}
	}
}
