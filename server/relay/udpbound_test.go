package relay

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// serveBound asks for a socket at an address.
func serveBound(t *testing.T, r *Relay, terms Terms, address string) *udpStream {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	return &udpStream{serving: serveRequest(t, t.Context(), r, terms, wire.Request{Kind: wire.UDPBound, Host: wire.HostOf(at.Addr()), Port: at.Port()})}
}

func mayBind(t *testing.T, r *Relay, rules ...string) Terms {
	terms := r.defaults
	terms.Listen = allowListen(t, rules...)
	return terms
}

// TestBoundDatagrams: strangers may send, each may be answered whatever the policy says of it, and
// one that has not sent is a target as any other.
func TestBoundDatagrams(t *testing.T) {
	r := local(t, Config{Policy: policy.New(nil)})
	s := serveBound(t, r, mayBind(t, r, "udp://127.0.0.1:*"), "127.0.0.1:0")
	result := s.want(wire.OK)
	if result.Remote.IsValid() || result.Bound.Port() == 0 || result.Bound.Addr() != netip.MustParseAddr("127.0.0.1") {
		t.Fatalf("answer %+v", result)
	}
	if ports, _ := r.Listeners(); ports != 1 {
		t.Errorf("%d ports are bound, want 1", ports)
	}
	first, second, silent := listenUDP(t, "127.0.0.1:0"), listenUDP(t, "127.0.0.1:0"), listenUDP(t, "127.0.0.1:0")
	for _, p := range []peerSocket{first, second, first} {
		p.send("question", result.Bound)
		s.wantNext(p.addr.String() + " question")
		s.sendTo(at(p.addr), "answer")
		if got, from := p.recv(); got != "answer" || from != result.Bound {
			t.Errorf("%q of %s", got, from)
		}
	}
	s.sendTo(at(silent.addr), "x")
	if got := s.next(); !strings.HasPrefix(got, silent.addr.String()+" denied: ") {
		t.Errorf("a target that the policy denies: %q", got)
	}
	silent.send("now I have sent", result.Bound)
	s.wantNext(silent.addr.String() + " now I have sent")
	s.sendTo(at(silent.addr), "so I am answered")
	if got, _ := silent.recv(); got != "so I am answered" {
		t.Error(got)
	}
	if got := r.Datagrams(); got.Up != 4 || got.Down != 4 || got.DroppedDown["stranger"] != 0 {
		t.Errorf("%+v", got)
	}
	s.fin()
	s.wait()
	listenUDP(t, result.Bound.String()) // the port is free
	if ports, _ := r.Listeners(); ports != 0 {
		t.Errorf("%d ports are bound behind the end", ports)
	}
}

// TestBoundDenied: nothing is bound without a rule for udp, and the errors are those of bind(2).
func TestBoundDenied(t *testing.T) {
	taken := listenUDP(t, "127.0.0.1:0")
	r := local(t, Config{})
	for _, row := range []struct {
		rules, asked string
		want         wire.Code
	}{
		{"", "127.0.0.1:0", wire.Denied},
		{"tcp://127.0.0.1:*", "127.0.0.1:0", wire.Denied},
		{"udp://127.0.0.1:5000-5001", "127.0.0.1:5002", wire.Denied},
		{"udp://127.0.0.1:*", "127.0.0.2:0", wire.Denied},
		{"udp://*:*", taken.addr.String(), wire.AddressInUse},
		{"udp://*:*", "192.0.2.1:0", wire.AddressNotAvailable},
		{"127.0.0.1:*", "0.0.0.0:0", wire.OK},
		{"udp://[::1]:*", "[::]:0", wire.OK},
		{"udp://*:*", "[::]:0", wire.OK},
	} {
		terms := mayBind(t, r, strings.Fields(row.rules)...)
		terms.MaxListeners = 1
		s := serveBound(t, r, terms, row.asked)
		s.want(row.want)
		if row.want == wire.OK {
			second := serveBound(t, r, terms, row.asked)
			second.want(wire.Limit)
			second.wait()
			s.fin()
		}
		s.wait()
		if ports, _ := r.Listeners(); ports != 0 {
			t.Errorf("%+v: %d ports are bound", row, ports)
		}
	}
	named := serveRequest(t, t.Context(), r, mayBind(t, r, "*:*"), wire.Request{Kind: wire.UDPBound, Host: wire.ParseHost("localhost"), Port: 5})
	named.want(wire.InvalidRequest)
	named.wait()
}

// TestBoundOfBothFamilies: a socket at :: is IPv4's too.
func TestBoundOfBothFamilies(t *testing.T) {
	r := local(t, Config{})
	s := serveBound(t, r, mayBind(t, r, "udp://*:*"), "[::]:0")
	port := s.want(wire.OK).Bound.Port()
	for _, address := range []string{"127.0.0.1", "::1"} {
		own := netip.MustParseAddr(address)
		p := listenUDP(t, netip.AddrPortFrom(own, 0).String())
		p.send("x", netip.AddrPortFrom(own, port))
		s.wantNext(p.addr.String() + " x")
		s.sendTo(at(p.addr), "y")
		if got, from := p.recv(); got != "y" || from != netip.AddrPortFrom(own, port) {
			t.Errorf("%q of %s", got, from)
		}
	}
	s.fin()
	s.wait()
}

// TestBoundEnds: the port is free whatever ends the stream.
func TestBoundEnds(t *testing.T) {
	for name, end := range map[string]func(*Relay, *udpStream, context.CancelFunc){
		"reset":   func(_ *Relay, s *udpStream, _ context.CancelFunc) { s.reset(wire.Aborted) },
		"session": func(_ *Relay, _ *udpStream, cancel context.CancelFunc) { cancel() },
		"drain":   func(r *Relay, _ *udpStream, _ context.CancelFunc) { r.StopListening() },
		"records": func(_ *Relay, s *udpStream, _ context.CancelFunc) {
			if err := s.send([]byte{0, 0, 9}); err != nil {
				s.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := local(t, Config{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			request := wire.Request{Kind: wire.UDPBound, Host: wire.ParseHost("127.0.0.1")}
			s := &udpStream{serving: serveRequest(t, ctx, r, mayBind(t, r, "udp://*:*"), request)}
			bound := s.want(wire.OK).Bound
			end(r, s, cancel)
			s.wait()
			listenUDP(t, bound.String())
			if name == "drain" { // nothing is bound any more
				late := serveBound(t, r, mayBind(t, r, "udp://*:*"), "127.0.0.1:0")
				late.want(wire.Draining)
				late.wait()
			}
		})
	}
}

// TestBoundIsNotIdle: a socket that waits for strangers does not end.
func TestBoundIsNotIdle(t *testing.T) {
	r := local(t, Config{})
	terms := mayBind(t, r, "udp://*:*")
	terms.IdleTimeout = time.Millisecond
	idles := serveUDP(t, r, terms, "", 0)
	idles.want(wire.OK)
	s := serveBound(t, r, terms, "127.0.0.1:0")
	bound := s.want(wire.OK).Bound
	idles.wait() // the other has waited for as long
	p := listenUDP(t, "127.0.0.1:0")
	p.send("x", bound)
	s.wantNext(p.addr.String() + " x")
	s.fin()
	s.wait()
}

// TestFloodOfStrangers: a client that takes nothing holds bounded memory, and what is dropped
// is counted.
func TestFloodOfStrangers(t *testing.T) {
	r := local(t, Config{})
	s := serveBound(t, r, mayBind(t, r, "udp://*:*"), "127.0.0.1:0")
	bound := s.want(wire.OK).Bound
	const many, size = 5000, 1000
	stranger := listenUDP(t, "127.0.0.1:0")
	payload := strings.Repeat("x", size)
	for range many {
		stranger.send(payload, bound)
	}
	const buffered = 500 // more than the system's buffer holds, which goes with the socket
	counted := func(when string) Datagrams {
		got := r.Datagrams()
		if all := got.Down + got.DroppedDown["late"]; dropsAreTold && (all > many || all < many-buffered) {
			t.Errorf("%s: %+v: %d were sent", when, got, many)
		}
		return got
	}
	counted("the client takes nothing and nothing more comes")
	s.wantNext(stranger.addr.String() + " " + payload)
	s.stop()
	s.fin()
	s.wait()
	if got := counted("behind the end"); got.Down >= many {
		t.Errorf("%d datagrams of %d bytes found room", got.Down, size)
	}
}
