// Package relay serves streams: a tcp stream is checked against the policy, resolved, dialed,
// answered and copied both ways until both have ended. The bytes of a udp stream are records of
// datagrams. kinds.go lists the kinds.
//
// What a program sees through the tunnel is what it would see on a socket of its own: a
// half-close is kept for as long as both ends like, a reset is told from an end, and
// every byte that came before either is delivered.
package relay

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/shared/wire"
)

// Stream is the end of a stream that a page has opened; *mux.Stream is one. One goroutine
// reads while another writes, and the other methods may be called beside both. The relay
// owns a stream from Serve until Serve returns.
type Stream interface {
	Request() wire.Request
	// Reply answers the request: once, before the first Write. It fails only with the session, and
	// not if that was closed cleanly.
	Reply(wire.Result) error
	// Read gives what the page wrote, also before Reply. After the page's FIN it returns
	// io.EOF; after its reset and at the end of the session another error.
	Read([]byte) (int, error)
	// WaitReadable blocks until Read would return without blocking, or the stream has ended.
	WaitReadable()
	// Direct gives the stream a function that writes bytes to the target without waiting, and
	// returns how many it has taken. While WaitReadable blocks, the stream may call it in place of
	// having them read.
	Direct(write func(b []byte) int)
	Write([]byte) (int, error) // fails once the page has stopped reading
	// Fill writes bytes that put makes in the memory from which they are sent. put must not
	// block; it is called at most once.
	Fill(put func(b []byte) int) error
	// ClosedCleanly reports whether the session has ended because one end closed it, and the
	// client has not reset the stream before. Read then returns every byte that was sent before
	// the close.
	ClosedCleanly() bool
	// Stopped is closed when the page has stopped reading or has reset the stream; the
	// end of the session need not close it.
	Stopped() <-chan struct{}
	CloseWrite() error
	// EachSocketOptions calls apply with the options that the page wants of the connection: those
	// of the request, and all of them again after each change. apply must not block.
	EachSocketOptions(apply func(wire.SocketOptions))
	CancelRead(wire.Code) error
	// Reset and Close make a Read or a Write that is under way return.
	Reset(code wire.Code, text string) error
	Close() error
}

// Resolver returns what a host resolves to. network is "ip", "ip4" or "ip6". It must not complete
// host by a search list. *resolver.Resolver is one.
type Resolver interface {
	Lookup(ctx context.Context, network, host string) (resolver.Answer, error)
}

// DefaultDialTimeout is used where Config says nothing. Linux itself tries for about two
// minutes, longer than any caller waits.
const DefaultDialTimeout = 15 * time.Second

// Config says how streams are served. Only Policy must be set.
type Config struct {
	Policy      *policy.Policy
	Resolver    Resolver      // nil: resolver.System
	Dialer      egress.Dialer // nil: targets are connected to directly
	DialTimeout time.Duration // resolving and dialing together, also where the request asks for more; 0: DefaultDialTimeout
	IdleTimeout time.Duration // a stream that moves no byte for so long is reset; 0: never
	Events      events.Sink   // what happens to streams; nil: nothing is recorded
}

// Relay serves streams. Any number of goroutines may use it.
type Relay struct {
	defaults Terms
	dialer   egress.Dialer
	linger   time.Duration // lingerTime; tests shorten it
	takeTime time.Duration // likewise
	events   events.Sink
	live     *live
	incoming *arrivals
}

// New returns a relay. It panics without a policy, because what that would mean is for
// no client to guess.
func New(config Config) *Relay {
	if config.Policy == nil {
		panic("relay: no policy")
	}
	r := &Relay{
		defaults: Terms{
			Policy:      config.Policy,
			Resolver:    config.Resolver,
			DialTimeout: cmp.Or(config.DialTimeout, DefaultDialTimeout),
			IdleTimeout: config.IdleTimeout,
			Outlives:    context.Background(),
		},
		dialer:   config.Dialer,
		linger:   lingerTime,
		takeTime: takeTime,
		events:   config.Events,
		live:     newLive(),
		incoming: newArrivals(),
	}
	if r.defaults.Resolver == nil {
		r.defaults.Resolver = resolver.System{}
	}
	if r.dialer == nil {
		var err error
		if r.dialer, err = egress.New(egress.Config{}); err != nil {
			panic(err) // nothing is configured that could be wrong
		}
	}
	if r.events == nil {
		r.events = events.Sinks{}
	}
	return r
}

// Serve serves one stream from its request to its end, on the terms of Config. It returns when
// both directions have ended and every goroutine of the stream is gone; the stream is then closed.
// ctx must end with the stream's session at the latest. Its end resets the stream, with the code
// of its cause if that is a *wire.Error. If the client has closed its session, what it wrote is
// delivered first.
func (r *Relay) Serve(ctx context.Context, stream Stream) { r.ServeOn(ctx, stream, r.defaults) }

// ServeOn is Serve on terms other than those of Config.
func (r *Relay) ServeOn(ctx context.Context, stream Stream, terms Terms) {
	over := make(chan struct{})
	r.Start(ctx, stream, terms, func() { close(over) })
	<-over
}

// Start is ServeOn that returns when the request has been answered. What is left is the work of
// goroutines that hold little memory while they wait. done is called where ServeOn would return,
// by any goroutine.
func (r *Relay) Start(ctx context.Context, stream Stream, terms Terms, done func()) {
	p := newPipe(r.on(terms), stream)
	p.began, p.done = time.Now(), done
	p.open(ctx)
}

// addrPort is the address of a socket as the wire has it: an IPv4 peer of an IPv6 socket is an
// IPv4 address.
func addrPort(addr net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := addr.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
