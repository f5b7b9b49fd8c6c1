package sockmux

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// backlog is what a Listener asks the server for, which bounds it.
	backlog = 128
	// acceptAhead is how many connections are opened before Accept asks for them. The others wait
	// at the server.
	acceptAhead = 8
)

// A Listener accepts connections that come to an address of the server. It implements
// net.Listener. All methods may be called at any time by any goroutine.
//
// It survives a lost WebSocket; connections that come meanwhile wait at the server. If the session
// ends, Accept returns an error for good, and the program must call Listen again.
type Listener struct {
	dialer  *Dialer
	network string
	addr    net.Addr
	source  incomingSource
	life    context.Context
	end     context.CancelFunc
	slots   chan struct{} // filled by what is opened and not accepted
	tasks   sync.WaitGroup

	mu       sync.Mutex
	change   sync.Cond
	ready    []*Conn
	err      error // why no more come
	closed   bool
	deadline deadline.Deadline
}

var _ net.Listener = (*Listener)(nil)

// An incomingSource tells of incoming connections.
type incomingSource interface {
	// next waits for a connection. accept opens it; its error is of that connection only.
	next() (accept func(context.Context) (stream, wire.Result, error), err error)
	// close ends the listener at the server and makes next return.
	close()
}

// Listen listens at the server. The network is "tcp", "tcp4" or "tcp6". The host of address is an
// address of the server, "localhost", or empty: then the server's policy chooses the address. Port
// 0 means any port that the policy allows. Addr tells what was chosen. The *Listener is for
// http.Server and all that takes a net.Listener.
//
// Servers allow no listening by default (--allow-listen). The error is a *net.OpError as that of
// DialContext: errors.Is finds syscall.EACCES, EADDRINUSE or EADDRNOTAVAIL in it. ctx counts until
// Listen returns.
func (d *Dialer) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	l, err := d.listen(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Addr: named{network, address}, Err: err}
	}
	return l, nil
}

func (d *Dialer) listen(ctx context.Context, network, address string) (*Listener, error) {
	request, err := listenRequestFor(ctx, network, address)
	if err != nil {
		return nil, err
	}
	session, err := d.connected()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ended(ctx, nil)
	}
	source, result, err := session.listen(ctx, request, backlog)
	if err != nil && ctx.Err() != nil {
		return nil, ended(ctx, session.status().Err)
	} else if err != nil {
		return nil, causeOf(err, request.Host)
	}
	l := &Listener{
		dialer: d, network: network, addr: addressOf(result.Bound, named{network, address}),
		source: source, slots: make(chan struct{}, acceptAhead),
	}
	l.change.L = &l.mu
	l.life, l.end = context.WithCancel(context.Background())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		l.end()
		source.close()
		return nil, net.ErrClosed
	}
	if d.listeners == nil {
		d.listeners = make(map[*Listener]struct{})
	}
	d.listeners[l] = struct{}{}
	l.tasks.Go(l.run) // Close waits for it
	return l, nil
}

// listenRequestFor returns the request that a network and an address of net.Listen stand for.
func listenRequestFor(ctx context.Context, network, address string) (wire.Request, error) {
	request, err := requestOn(network)
	if err != nil || request.Kind != wire.TCP {
		return request, net.UnknownNetworkError(network)
	}
	request.Kind = wire.Listen
	return request, bindTo(ctx, &request, network, address)
}

// bindTo sets the host and the port of a request to an address to bind, as net.Listen has them.
func bindTo(ctx context.Context, request *wire.Request, network, address string) error {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, network, service)
	if err != nil {
		return err
	}
	unspecified, loopback := netip.IPv6Unspecified(), netip.AddrFrom4([4]byte{127, 0, 0, 1})
	switch request.Family {
	case 4:
		unspecified = netip.IPv4Unspecified()
	case 6:
		loopback = netip.IPv6Loopback()
	}
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "":
		addr = unspecified
	case host == "localhost":
		addr = loopback
	case err != nil || addr.Zone() != "" || request.Family == 4 && !addr.Is4() || request.Family == 6 && !addr.Is6():
		return &net.AddrError{Err: "no " + network + " address of the server", Addr: address}
	}
	request.Host, request.Port = wire.HostOf(addr), uint16(port)
	return nil
}

// run opens what comes, some ahead of Accept.
func (l *Listener) run() {
	for {
		select {
		case l.slots <- struct{}{}:
		case <-l.life.Done():
			return
		}
		accept, err := l.source.next()
		if err != nil {
			l.fail(err)
			return
		}
		l.tasks.Go(func() { l.open(accept) })
	}
}

// open opens one connection. What has gone meanwhile is no error of the listener's.
func (l *Listener) open(accept func(context.Context) (stream, wire.Result, error)) {
	stream, result, err := accept(l.life)
	if err != nil {
		<-l.slots
		return
	}
	remote := addressOf(result.Remote, named{l.network, ":0"})
	conn, err := l.dialer.adopt(stream, l.network, addressOf(result.Bound, l.addr), remote)
	if err != nil {
		<-l.slots
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = conn.Reset() // as a system does with what was not accepted
		return
	}
	l.ready = append(l.ready, conn)
	l.change.Broadcast()
}

func (l *Listener) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = wire.NewError(wire.Aborted, "the server has closed the listener")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.change.Broadcast()
}

// Accept implements net.Listener. The connection is a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, l.opError("accept", net.ErrClosed)
		case l.deadline.Passed():
			return nil, l.opError("accept", os.ErrDeadlineExceeded)
		case len(l.ready) > 0:
			conn := l.ready[0]
			l.ready = l.ready[1:]
			<-l.slots
			return conn, nil
		case l.err != nil:
			return nil, l.opError("accept", causeOf(l.err, wire.Host{}))
		}
		l.change.Wait()
	}
}

// SetDeadline sets when Accept gives up, as that of *net.TCPListener.
func (l *Listener) SetDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.opError("set", net.ErrClosed)
	}
	l.deadline.Set(t, &l.mu, l.change.Broadcast)
	return nil
}

// Close implements net.Listener. The server frees the port, and resets the connections that were
// not accepted. An Accept under way returns net.ErrClosed.
func (l *Listener) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.opError("close", net.ErrClosed)
	}
	l.closed = true
	l.deadline.Set(time.Time{}, &l.mu, l.change.Broadcast)
	left := l.ready
	l.ready = nil
	l.change.Broadcast()
	l.mu.Unlock()
	l.end()
	l.source.close()
	for _, conn := range left {
		_ = conn.Reset() // as in open
	}
	l.tasks.Wait()
	l.dialer.mu.Lock()
	defer l.dialer.mu.Unlock()
	delete(l.dialer.listeners, l)
	return nil
}

// Addr implements net.Listener. It returns the address that the server has bound.
func (l *Listener) Addr() net.Addr { return l.addr }

func (l *Listener) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: l.network, Addr: l.addr, Err: err}
}
