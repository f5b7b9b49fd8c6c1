package sockmux

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// A Dialer opens connections through one server. It needs a URL, but in a page that has loaded
// sockmux.js. Fields must not be changed after the first dial, and the Dialer must not be
// copied then. Any number of goroutines may use it.
//
// The Dialer connects to the server at the first dial. Close ends that connection.
type Dialer struct {
	// URL is where the server is, up to its prefix: "https://sockmux.example.org/". The
	// schemes http, https, ws and wss are known.
	URL string

	// Token is the credential that the server asks for; "" sends none.
	Token string

	// TokenFunc returns the token in place of Token, if it is not nil. It is called for each
	// new connection to the server, so a program can renew a token. It must not block.
	TokenFunc func() string

	// Timeout is how long a dial may take. The deadline of a context counts too. If Timeout
	// is zero, the server's own bound holds.
	Timeout time.Duration

	// Handshake says how the WebSocket is opened. Its fields depend on the platform.
	Handshake Handshake

	// OnNotice is called with what the server has to say to people, such as that it is about
	// to restart. It must return at once and must not call the Dialer. If nil, notices are
	// dropped.
	OnNotice func(text string)

	close     sync.Once
	mu        sync.Mutex
	session   session // nil before the first dial
	closed    bool
	conns     map[kept]struct{}
	listeners map[*Listener]struct{}
	drains    sync.WaitGroup // goroutines of the connections
}

// Dial is DialContext without a context.
func (d *Dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext opens a TCP connection to address through the server. The network is "tcp",
// "tcp4" or "tcp6", the address host:port as for net.Dial. The server resolves the host. With
// "udp", "udp4" or "udp6" it opens a socket whose datagrams go to and come from that address.
//
// If ctx ends before the connection is open, DialContext returns, and the server gives up its
// dial too. Later ctx has no meaning. The connection is a *Conn, or a *UDPConn.
//
// An error is a *net.OpError around a *wire.Error, if the server gave a reason. errors.Is
// finds the errno in it, such as syscall.ECONNREFUSED, and errors.As a *net.DNSError for a name
// that does not resolve. If ctx has ended, errors.Is finds ctx.Err().
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	request, err := requestFor(ctx, network, address)
	return d.dialed(ctx, named{network, address}, request, err)
}

// DialHost is DialContext for a host and a port that a program has apart, such as those of a
// SOCKS request.
func (d *Dialer) DialHost(ctx context.Context, network string, host wire.Host, port uint16) (net.Conn, error) {
	request, err := requestOn(network)
	if err == nil && host.IsZero() {
		err = missingHost(host.At(port))
	}
	request.Host, request.Port = host, port
	return d.dialed(ctx, named{network, host.At(port)}, request, err)
}

// dialed opens a connection, unless there is no request because of malformed.
func (d *Dialer) dialed(ctx context.Context, to named, request wire.Request, malformed error) (net.Conn, error) {
	err := malformed
	if err == nil {
		var conn net.Conn
		if conn, err = d.dial(ctx, to, request); err == nil {
			return conn, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Net: to.network, Addr: to, Err: err}
}

func (d *Dialer) dial(ctx context.Context, to named, request wire.Request) (net.Conn, error) {
	stream, result, err := d.open(ctx, request)
	if err != nil {
		return nil, err
	}
	if request.Kind == wire.UDP {
		conn, err := d.keepUDP(newUDPConn(d, stream, to.network, result, to))
		if err != nil {
			return nil, err // not a nil *UDPConn in an interface
		}
		return conn, nil
	}
	conn, err := d.adopt(stream, to.network, addressOf(result.Bound, named{to.network, ":0"}), addressOf(result.Remote, to))
	if err != nil {
		return nil, err // likewise
	}
	return conn, nil
}

// open opens a stream of the session and waits for the server's answer.
func (d *Dialer) open(ctx context.Context, request wire.Request) (stream, wire.Result, error) {
	none := wire.Result{}
	session, err := d.connected()
	if err != nil {
		return nil, none, err
	}
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	if deadline, ok := ctx.Deadline(); ok {
		request.Timeout = time.Until(deadline)
	}
	if ctx.Err() != nil {
		return nil, none, ended(ctx, nil)
	}
	stream, result, err := session.open(ctx, request)
	if err != nil && ctx.Err() != nil {
		return nil, none, ended(ctx, session.status().Err)
	} else if err != nil {
		return nil, none, causeOf(err, request.Host)
	}
	return stream, result, nil
}

// bounded returns a context that ends when a dial must have ended.
func (d *Dialer) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.Timeout > 0 {
		return context.WithTimeout(ctx, d.Timeout)
	}
	return context.WithCancel(ctx)
}

// adopt makes the connection of a stream that is open.
func (d *Dialer) adopt(stream stream, network string, local, remote net.Addr) (*Conn, error) {
	conn := newConn(d, stream, network, local, remote)
	if !d.keep(conn) {
		_ = stream.Close() // the session has ended it
		return nil, net.ErrClosed
	}
	return conn, nil
}

// kept is what a Dialer closes.
type kept interface {
	Close() error
	// abort ends the stream at once: what was not sent is dropped.
	abort()
}

// keep notes an open socket. It returns false if the Dialer is closed.
func (d *Dialer) keep(s kept) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	if d.conns == nil {
		d.conns = make(map[kept]struct{})
	}
	d.conns[s] = struct{}{}
	return true
}

// connected returns the session, which the first call begins.
func (d *Dialer) connected() (session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, net.ErrClosed
	}
	if d.session == nil {
		s, err := newSession(d)
		if err != nil {
			return nil, err
		}
		d.session = s
	}
	return d.session, nil
}

func (d *Dialer) token() string {
	if d.TokenFunc != nil {
		return d.TokenFunc()
	}
	return d.Token
}

// forget is called when a socket is closed and has delivered its bytes.
func (d *Dialer) forget(c kept) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
}
