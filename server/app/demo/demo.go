// Package demo runs small TCP services on one address of this machine, for the playground
// and for tests: the classic ones (echo, discard, chargen, daytime, whois) and some that
// show one trait of TCP each (half-close, reset, a slow reader, a target that refuses).
//
// The ports are free ones that the system chooses. Rules gives the policy that opens
// exactly them, Resolver the names under .test (RFC 6761) that lead to them.
package demo

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/relay/policy"
)

// Limits of every service: the playground is open to every visitor.
const (
	maxConns  = 256              // at once for each service; a browser that tests with all the streams of a session fits
	maxLine   = 1024             // bytes of a line that a service asks for; far more than any of them needs
	idleLimit = 5 * time.Minute  // for one read or write; people who type pause
	maxHold   = 10 * time.Minute // for a connection of the services that do not read, where the client's end is not seen
)

// Service is one service that runs.
type Service struct {
	Name        string
	Host        string // that of Start
	Port        uint16
	Description string
}

// definition is a service that is not yet running. serve returns when it is done with the
// connection; the caller closes it.
type definition struct {
	name, description string
	serve             func(d *Demo, c *client)
}

func definitions() []definition {
	return []definition{
		{"http", "answers every request with what it saw", serveHTTP},
		{"daytime", "sends the time and ends (RFC 867)", serveDaytime},
		{"whois", "answers one line: try sockmux or services (RFC 3912)", serveWhois},
		{"echo", "sends back what it gets (RFC 862)", serveEcho},
		{"discard", "reads and says nothing (RFC 863)", serveDiscard},
		{"chargen", "sends lines of characters until you end (RFC 864)", serveChargen},
		{"download", "reads a line with a number and sends that many bytes", serveDownload},
		{"sum", "reads to your end, then sends length and SHA-256", serveSum},
		{"half-close", "greets and ends its direction, then reads to your end", serveHalfClose},
		{"half-close-report", "tells how many bytes half-close read last", serveHalfCloseReport},
		{"reset", "sends a line, then resets the connection", serveReset},
		{"slow", "reads 1 MB/s", serveSlow},
		{"silent", "accepts, then neither reads nor writes", serveSilent},
	}
}

// refusedName is the service that is none: a port without a listener.
const refusedName = "refused"

// Demo is a set of running services. Its methods may be called by any number of goroutines.
type Demo struct {
	addr     netip.Addr
	services []Service
	unused   *unusedPort
	ctx      context.Context // ends with Close; the lifetime of the services
	cancel   context.CancelFunc
	running  sync.WaitGroup // every accept loop and every connection

	mu        sync.Mutex // protects what follows
	closed    bool
	listeners []net.Listener
	conns     map[*net.TCPConn]struct{}
	halfClose int64 // bytes of the half-close connection that ended last; -1: none has
}

// Start starts every service on host, an IP address of this machine such as 127.0.0.1.
// The caller ends them with Close.
func Start(host string) (*Demo, error) {
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.IsUnspecified() || addr.Zone() != "" {
		return nil, fmt.Errorf("demo: host %q is not one IP address of this machine", host)
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := &Demo{addr: addr, ctx: ctx, cancel: cancel, conns: make(map[*net.TCPConn]struct{}), halfClose: -1}
	for _, definition := range definitions() {
		listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			d.Close()
			return nil, fmt.Errorf("demo: listening for %s: %w", definition.name, err)
		}
		d.listeners = append(d.listeners, listener)
		d.services = append(d.services, Service{definition.name, host, portOf(listener.Addr()), definition.description})
	}
	if d.unused, err = holdUnusedPort(ctx, host); err != nil {
		d.Close()
		return nil, fmt.Errorf("demo: a port for %s: %w", refusedName, err)
	}
	d.services = append(d.services, Service{refusedName, host, d.unused.port(), "no program listens: the connection is refused"})
	for i, definition := range definitions() {
		listener := d.listeners[i]
		d.running.Go(func() { d.accept(listener, definition.serve) })
	}
	return d, nil
}

// Services returns the running services. The caller owns the list.
func (d *Demo) Services() []Service { return slices.Clone(d.services) }

// Addr returns the address of a service, or the zero value if there is none of that name.
func (d *Demo) Addr(name string) netip.AddrPort {
	for _, service := range d.services {
		if service.Name == name {
			return netip.AddrPortFrom(d.addr, service.Port)
		}
	}
	return netip.AddrPort{}
}

// Rules returns rules that allow exactly the services' addresses and ports.
func (d *Demo) Rules() []policy.Rule {
	var rules []policy.Rule
	for _, service := range d.services {
		rules = append(rules, policy.Allow(netip.AddrPortFrom(d.addr, service.Port)))
	}
	return rules
}

// Close ends all services and their connections and returns when their goroutines are gone.
func (d *Demo) Close() {
	d.cancel()
	d.mu.Lock()
	d.closed = true
	for _, listener := range d.listeners {
		_ = listener.Close()
	}
	for conn := range d.conns {
		_ = conn.Close()
	}
	d.mu.Unlock()
	if d.unused != nil {
		d.unused.close()
	}
	d.running.Wait()
}

// accept serves the connections of one listener until it is closed.
func (d *Demo) accept(listener net.Listener, serve func(*Demo, *client)) {
	slots := make(chan struct{}, maxConns)
	for {
		select {
		case slots <- struct{}{}:
		case <-d.ctx.Done():
			return
		}
		conn, err := listener.Accept()
		if err != nil {
			<-slots
			select {
			case <-d.ctx.Done(): // Close has closed the listener
				return
			case <-time.After(acceptPause):
			}
			continue
		}
		d.running.Go(func() {
			defer func() { <-slots }()
			d.serve(conn.(*net.TCPConn), serve)
		})
	}
}

// acceptPause keeps a listener that cannot accept, because the process is out of file
// descriptors, from spinning.
const acceptPause = 100 * time.Millisecond

func (d *Demo) serve(conn *net.TCPConn, serve func(*Demo, *client)) {
	defer conn.Close()
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.conns[conn] = struct{}{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		delete(d.conns, conn)
		d.mu.Unlock()
	}()
	serve(d, &client{conn})
}

func portOf(addr net.Addr) uint16 { return addr.(*net.TCPAddr).AddrPort().Port() }
