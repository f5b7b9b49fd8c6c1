package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/events/eventstest"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// peerSocket is a peer on loopback.
type peerSocket struct {
	*net.UDPConn
	t    *testing.T
	addr netip.AddrPort
}

func listenUDP(t *testing.T, address string) peerSocket {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience)) // of an open socket: never fails
	return peerSocket{conn, t, conn.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// recv returns a datagram and whose it is.
func (p peerSocket) recv() (string, netip.AddrPort) {
	p.t.Helper()
	b := make([]byte, datagram.MaxPayload+1)
	n, from, err := p.ReadFromUDPAddrPort(b)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

func (p peerSocket) send(text string, to netip.AddrPort) {
	p.t.Helper()
	if _, err := p.WriteToUDPAddrPort([]byte(text), to); err != nil {
		p.t.Fatal(err)
	}
}

// udpStream is a udp stream that is being served.
type udpStream struct {
	serving
	decoder datagram.Decoder
	come    []string
}

func serveUDP(t *testing.T, r *Relay, terms Terms, host string, port uint16) *udpStream {
	t.Helper()
	return &udpStream{serving: serveRequest(t, t.Context(), r, terms, wire.Request{Kind: wire.UDP, Host: wire.ParseHost(host), Port: port})}
}

func named(name string, port uint16) datagram.Peer {
	return datagram.Peer{Host: wire.ParseHost(name), Port: port}
}

func at(addr netip.AddrPort) datagram.Peer { return datagram.PeerAt(addr) }

func (s *udpStream) sendTo(to datagram.Peer, payloads ...string) {
	s.t.Helper()
	var b []byte
	for _, payload := range payloads {
		var err error
		if b, err = (datagram.Record{Peer: to, Payload: []byte(payload)}).Append(b); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.send(b); err != nil {
		s.t.Fatal(err)
	}
}

// next returns what comes next: "PEER PAYLOAD", or "PEER CODE: TEXT" for a report.
func (s *udpStream) next() string {
	s.t.Helper()
	b := make([]byte, 4096)
	for len(s.come) == 0 {
		n, err := reader{s.page}.Read(b)
		if err != nil {
			s.t.Fatal(err)
		}
		err = s.decoder.Decode(b[:n], func(r datagram.Record) {
			text := string(r.Payload)
			if r.Code != wire.OK {
				text = fmt.Sprintf("%s: %s", r.Code, text)
			}
			who := r.Peer.String()
			if r.Peer == (datagram.Peer{}) {
				who = "-"
			}
			s.come = append(s.come, who+" "+text)
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	first := s.come[0]
	s.come = s.come[1:]
	return first
}

func (s *udpStream) wantNext(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Errorf("got %q, want %q", got, want)
	}
}

func TestConnectedDatagrams(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		peer := listenUDP(t, address)
		r := local(t, Config{})
		s := serveUDP(t, r, r.defaults, peer.addr.Addr().String(), peer.addr.Port())
		result := s.want(wire.OK)
		largest := strings.Repeat("l", datagram.MaxPayload)
		s.sendTo(datagram.Peer{}, "one", "", "three", largest)
		for i, want := range []string{"one", "", "three", largest} {
			got, from := peer.recv()
			if got != want || from != result.Bound || result.Remote != peer.addr {
				t.Errorf("datagram %d: %d bytes of %s; the answer is %+v", i, len(got), from, result)
			}
			peer.send("back "+got[:min(len(got), 10)], from)
		}
		for _, want := range []string{"- back one", "- back ", "- back three", "- back llllllllll"} {
			s.wantNext(want)
		}
		s.fin()
		s.wait()
		end := r.events.(*recorder).ends()
		if len(end) != 1 || end[0].Code != wire.OK || end[0].Remote != peer.addr || end[0].Up < datagram.MaxPayload || end[0].Down == 0 {
			t.Errorf("ended %+v", end)
		}
		if got := r.Datagrams(); got.Up != 4 || got.Down != 4 {
			t.Errorf("counted %+v", got)
		}
	}
}

// TestUnconnectedDatagrams: one socket reaches several peers, by address and by name, and only
// these may answer.
func TestUnconnectedDatagrams(t *testing.T) {
	first, second, six, stranger := listenUDP(t, "127.0.0.1:0"), listenUDP(t, "127.0.0.1:0"), listenUDP(t, "[::1]:0"), listenUDP(t, "127.0.0.1:0")
	names := world(map[string]string{"second.example": "127.0.0.1", "private.example": "10.0.0.1"})
	r := local(t, Config{Resolver: names, Policy: rules(t, "127.0.0.0/8", "::1", "second.example", "224.0.0.0/4", "255.255.255.255", "127.255.255.255")})
	s := serveUDP(t, r, r.defaults, "", 0)
	result := s.want(wire.OK)
	if result.Remote.IsValid() || result.Bound.Port() == 0 {
		t.Errorf("answer %+v", result)
	}
	byName := named("second.example", second.addr.Port())
	s.sendTo(at(first.addr), "to first")
	s.sendTo(byName, "by name", "again")
	s.sendTo(at(six.addr), "to six")
	for _, row := range []struct {
		peer peerSocket
		want []string
		as   string
	}{
		{first, []string{"to first"}, first.addr.String()},
		{second, []string{"by name", "again"}, byName.String()},
		{six, []string{"to six"}, six.addr.String()},
	} {
		for _, want := range row.want {
			got, from := row.peer.recv()
			if got != want || from.Port() != result.Bound.Port() {
				t.Errorf("%s got %q of %s, want %q of port %d", row.as, got, from, want, result.Bound.Port())
			}
			stranger.send("noise", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), result.Bound.Port()))
			row.peer.send("answer to "+got, from)
			s.wantNext(row.as + " answer to " + want)
		}
	}
	if got := r.Datagrams().DroppedDown["stranger"]; got < 3 { // the last may not be there yet
		t.Errorf("%d datagrams of a stranger were dropped, want 4", got)
	}
	port := first.addr.Port()
	for _, row := range []struct {
		to   datagram.Peer
		want string
	}{
		{datagram.Peer{}, "- invalid_request: a datagram without an address"},
		{datagram.PeerAt(netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port)), fmt.Sprintf("10.0.0.1:%d denied: 10.0.0.1:%d is denied: the address is not public (private, RFC 1918) and no rule allows it", port, port)},
		{datagram.PeerAt(netip.AddrPortFrom(netip.MustParseAddr("172.29.1.1"), 5)), "172.29.1.1:5 fake_address: 172.29.1.1:5 is an address of Emscripten's fake DNS, not the target's: the program looked the name up where the name is not known to the tunnel"},
		{datagram.PeerAt(netip.AddrPortFrom(netip.MustParseAddr("224.0.0.1"), 5)), "224.0.0.1:5 denied: 224.0.0.1:5 is not the address of one host"},
		{datagram.PeerAt(netip.AddrPortFrom(netip.MustParseAddr("255.255.255.255"), 5)), "255.255.255.255:5 denied: 255.255.255.255:5 is not the address of one host"},
		{datagram.PeerAt(netip.AddrPortFrom(netip.MustParseAddr("127.255.255.255"), 5)), "127.255.255.255:5 denied: 127.255.255.255:5: the policy forbids the target"}, // by the system: the network's broadcast
		{named("none.example", 5), "none.example:5 name_not_found: none.example has no address"},
		{named("private.example", 5), "private.example:5 denied: private.example:5 at 10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it"},
		{named("bad name", 5), ""},
	} {
		for range 2 { // the second answer is remembered
			s.sendTo(row.to, "x")
			if got := s.next(); got != row.want && (row.want != "" || !strings.Contains(got, "invalid_request")) {
				t.Errorf("to %s: got %q, want %q", row.to, got, row.want)
			}
		}
	}
	refusals := make(map[string]int)
	for _, e := range eventstest.Of[events.Refused](&r.events.(*recorder).Recorder) {
		refusals[e.Request.Target()]++
	}
	if target := fmt.Sprintf("10.0.0.1:%d", port); refusals[target] != 1 || refusals["private.example:5"] != 1 || refusals["none.example:5"] != 0 {
		t.Errorf("refusals %v, want one of %s and of private.example", refusals, target)
	}
	s.fin()
	s.wait()
}

// TestDatagramRefused: the answer of a host without such a port ends nothing.
func TestDatagramRefused(t *testing.T) {
	peer := listenUDP(t, "127.0.0.1:0")
	_ = peer.Close()
	r := local(t, Config{})
	s := serveUDP(t, r, r.defaults, "127.0.0.1", peer.addr.Port())
	s.want(wire.OK)
	want := "- refused: " + peer.addr.String() + ": the target refused the connection"
	for range 3 {
		s.sendTo(datagram.Peer{}, "x")
		s.wantNext(want)
	}
	back := listenUDP(t, peer.addr.String())
	s.sendTo(datagram.Peer{}, "now")
	for {
		if got, _ := back.recv(); got == "now" {
			break
		}
	}
	s.fin()
	s.wait()
}

func TestUDPDenied(t *testing.T) {
	r := local(t, Config{Policy: rules(t, "tcp://127.0.0.1", "udp://127.0.0.2")})
	for host, want := range map[string]wire.Code{"127.0.0.1": wire.Denied, "127.0.0.2": wire.OK, "224.0.0.1": wire.Denied} {
		s := serveUDP(t, r, r.defaults, host, 9)
		s.want(want)
		s.fin()
		s.wait()
	}
	s := serveUDP(t, r, r.defaults, "", 5353)
	if got := s.want(wire.Denied).Text; got != "a udp socket with a port of its own is a stream of kind udp_bound" {
		t.Error(got)
	}
}

// TestMalformedDatagrams: bytes that are no records reset the stream.
func TestMalformedDatagrams(t *testing.T) {
	r := local(t, Config{})
	s := serveUDP(t, r, r.defaults, "", 0)
	s.want(wire.OK)
	if err := s.send([]byte{0, 0, 9}); err != nil {
		t.Fatal(err)
	}
	s.wait()
	if got := ended(r); got[wire.Protocol] != 1 {
		t.Errorf("ended %v, want protocol", got)
	}
	if _, err := s.recvAll(); codeOf(err) != wire.Protocol {
		t.Errorf("the client gets %v", err)
	}
}

// TestDatagramsBehindNames: what was sent to a name is sent, though the client has closed the
// socket before the name is resolved; nothing else waits for it.
func TestDatagramsBehindNames(t *testing.T) {
	peer := listenUDP(t, "127.0.0.1:0")
	asked, goOn := make(chan struct{}), make(chan struct{})
	slow := lookup(func(_ context.Context, _, host string) ([]netip.Addr, error) {
		close(asked)
		<-goOn
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	})
	r := local(t, Config{Resolver: slow, Policy: rules(t, "slow.example", "127.0.0.1")})
	s := serveUDP(t, r, r.defaults, "", 0)
	s.want(wire.OK)
	s.sendTo(named("slow.example", peer.addr.Port()), "late", "later")
	<-asked
	s.sendTo(at(peer.addr), "first")
	if got, _ := peer.recv(); got != "first" {
		t.Errorf("got %q", got)
	}
	s.fin()
	close(goOn)
	for _, want := range []string{"late", "later"} {
		if got, _ := peer.recv(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	s.wait()
}

// TestHeldDatagrams: little waits for a name that does not resolve, and few names at once.
func TestHeldDatagrams(t *testing.T) {
	stuck := lookup(func(ctx context.Context, _, host string) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := local(t, Config{Resolver: stuck, Policy: rules(t, "*")})
	s := serveUDP(t, r, r.defaults, "", 0)
	s.want(wire.OK)
	const many = 100
	for range many {
		s.sendTo(named("one.example", 5), "x")
	}
	for i := range many {
		s.sendTo(named(fmt.Sprintf("n%d.example", i), 5), "x")
	}
	want := uint64(2*many - maxUnderway - (maxUnderway - 1))
	for deadline := time.Now().Add(patience); r.Datagrams().DroppedUp["full"] != want; {
		if time.Now().After(deadline) {
			t.Fatalf("dropped %d, want %d", r.Datagrams().DroppedUp["full"], want)
		}
	}
	s.reset(wire.Aborted)
	s.wait()
}

// TestTargetsAreCounted: each target is one more for the client's limit of targets a second.
func TestTargetsAreCounted(t *testing.T) {
	counters := limit.NewCounters()
	account, err := counters.Enter("alice", limit.Limits{Opens: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer account.Leave()
	r := local(t, Config{})
	terms := r.defaults
	terms.Meter = account
	s := serveUDP(t, r, terms, "", 0)
	s.want(wire.OK)
	peer := listenUDP(t, "127.0.0.1:0")
	for range 50 {
		s.sendTo(at(peer.addr), "same")
	}
	for i := range 50 {
		s.sendTo(datagram.PeerAt(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}), 9)), "x")
	}
	if got := s.next(); !strings.Contains(got, "limit: more than 1 sockets a second are opened") {
		t.Errorf("got %q", got)
	}
	s.sendTo(at(peer.addr), "last")
	for n := 1; ; n++ {
		if got, _ := peer.recv(); got == "last" {
			if n != 51 {
				t.Errorf("%d datagrams to the peer, want 51", n)
			}
			break
		}
	}
	s.reset(wire.Aborted)
	s.wait()
}

// TestSlowClient: what a client does not take waits in bounded memory, and the rest is dropped.
func TestSlowClient(t *testing.T) {
	peer := listenUDP(t, "127.0.0.1:0")
	r := local(t, Config{})
	s := serveUDP(t, r, r.defaults, "127.0.0.1", peer.addr.Port())
	s.want(wire.OK)
	s.sendTo(datagram.Peer{}, "subscribe")
	_, client := peer.recv()
	const many, size = 4000, 1000
	payload := strings.Repeat("x", size)
	for range many {
		peer.send(payload, client)
	}
	first := s.next()
	if first != "- "+payload {
		t.Errorf("got %d bytes", len(first))
	}
	s.stop() // the socket ends, and says what the system has dropped
	s.fin()
	s.wait()
	got := r.Datagrams()
	if got.Down >= many {
		t.Errorf("%+v: %d datagrams of %d bytes found room", got, got.Down, size)
	}
	if byPeer, _ := lostBy(peer.UDPConn); byPeer == 0 && got.DroppedDown["late"] == 0 && dropsAreTold {
		t.Errorf("%+v: the drops are not counted", got)
	}
}

func TestPolicyForDatagrams(t *testing.T) {
	r := &service{Terms: Terms{Policy: policy.New(nil)}}
	for addr, ok := range map[string]bool{
		"8.8.8.8:53": true, "[2001:4860:4860::8888]:53": true, "239.1.1.1:5": false, "[ff02::1]:5": false, "0.0.0.0:5": false, "[::]:5": false, "255.255.255.255:5": false,
	} {
		if err := r.checkUnicast(wire.Host{}, nil, netip.MustParseAddrPort(addr)); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
