package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// neighborListeners is how many listeners the neighbor that listens has.
	neighborListeners = 1
	// maxListeners is the default of --max-listeners.
	maxListeners = 16
	// maxAnnounced is how many connections of a listener wait at the server
	// (docs/PROTOCOL.md, 5.4).
	maxAnnounced = 16
	// maxQueued bounds how many more strangers find themselves connected: those in the
	// system's queue, and those whose last packet of the handshake it has dropped.
	maxQueued = 512
)

// listenOnLoopback asks for any port.
var listenOnLoopback = wire.Request{Kind: wire.Listen, Host: wire.ParseHost("127.0.0.1")}

// withListener exchanges blocks with a stranger that connects to a listener of the session.
func withListener() func(context.Context, *client.Client) error {
	var listener *mux.Stream
	var at netip.AddrPort
	return func(ctx context.Context, c *client.Client) error {
		if listener == nil {
			var err error
			if listener, err = c.OpenContext(ctx, listenOnLoopback); err != nil {
				return err
			}
			result, err := succeeded(ctx, listener)
			if err != nil {
				return fmt.Errorf("listen: %w", err)
			}
			at = result.Bound
			if _, err := listener.Write(incoming.AppendBacklog(nil, 1)); err != nil {
				return err
			}
		}
		stranger, err := dial(ctx, at)
		if err != nil {
			return err
		}
		defer stranger.Close()
		end := time.Now().Add(patience)
		_ = stranger.SetDeadline(end) // never fails on an open socket
		listener.SetReadDeadline(end)
		record, err := incoming.Read(listener)
		if err != nil {
			return fmt.Errorf("record: %w", err)
		}
		s, err := c.OpenContext(ctx, wire.Request{Kind: wire.Accept, Port: record.Number})
		if err != nil {
			return err
		}
		defer s.Close()
		if _, err := succeeded(ctx, s); err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		s.SetReadDeadline(end)
		return errors.Join(moved(stranger, s), moved(s, stranger))
	}
}

// succeeded waits for the answer to a request, and returns its code as an error.
func succeeded(ctx context.Context, s *mux.Stream) (wire.Result, error) {
	result, err := s.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	return result, err
}

// dial connects as a stranger.
func dial(ctx context.Context, at netip.AddrPort) (*net.TCPConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp4", at.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// stranger connects.
func stranger(t *testing.T, at netip.AddrPort) *net.TCPConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := dial(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// listens opens a listener that takes connections, as many as the server lets it.
func listens(t *testing.T, c *client.Client) (listener *mux.Stream, at netip.AddrPort) {
	t.Helper()
	listener = openStream(t, c, listenOnLoopback)
	at = answerTo(t, listener, wire.OK).Bound
	if _, err := listener.Write(incoming.AppendBacklog(nil, math.MaxUint32)); err != nil {
		t.Fatal(err)
	}
	return listener, at
}

// nextNumber reads the record of a connection.
func nextNumber(t *testing.T, listener *mux.Stream) uint16 {
	t.Helper()
	listener.SetReadDeadline(time.Now().Add(patience))
	record, err := incoming.Read(listener)
	if err != nil {
		t.Fatal(err)
	}
	return record.Number
}

// accepts opens a stream for the connection with the number.
func accepts(t testing.TB, c *client.Client, number uint16) *mux.Stream {
	t.Helper()
	return openStream(t, c, wire.Request{Kind: wire.Accept, Port: number})
}

// onlyNeighborListens waits until the server has freed what attacks have bound.
func onlyNeighborListens(t *testing.T, p *process) {
	t.Helper()
	servertest.Eventually(t, patience, "the ports are free", func() bool { return p.Metric(t, "sockmux_listeners") == neighborListeners })
	servertest.Eventually(t, patience, "no connection waits", func() bool { return p.Metric(t, "sockmux_incoming_connections_waiting") <= neighborListeners })
}

// listenersBeyond has sessions that ask for more listeners than one may have, and one that
// opens and resets them again and again.
func listenersBeyond(t *testing.T, p *process, counts *table) {
	row := counts.row("listen", "listeners, more than there may be")
	var sessions []*client.Client
	for range scaled(4, 32) {
		c := p.session(t)
		sessions = append(sessions, c)
		var asked []*mux.Stream
		for range 40 {
			asked = append(asked, openStream(t, c, listenOnLoopback))
		}
		held := 0
		for _, s := range asked {
			result := answerTo(t, s, wire.OK, wire.Limit)
			counts.add(row, 1, result.Code.String())
			if result.Code == wire.OK {
				held++
			}
		}
		if held != maxListeners {
			t.Errorf("a session has %d listeners, want %d", held, maxListeners)
		}
	}
	for _, c := range sessions {
		c.Close()
	}
	onlyNeighborListens(t, p)

	again := counts.row("listen", "listeners, opened and reset")
	c := p.session(t)
	each(t, scaled(500, 20_000), func(t testing.TB, _ int) {
		s := openStream(t, c, listenOnLoopback)
		result := answerTo(t, s, wire.OK, wire.Limit) // the server may still free those before
		_ = s.Reset(wire.Aborted, "")                 // never fails
		counts.add(again, 1, result.Code.String())
	})
	onlyNeighborListens(t, p)
}

// ports are some that no other process of the machine binds.
type ports struct {
	addr        netip.Addr
	first, last uint16
}

// portRange returns ports of an address on loopback that this process has to itself.
func portRange() ports {
	pid := os.Getpid()
	return ports{netip.AddrFrom4([4]byte{127, 3, byte(pid >> 8), byte(pid)}), 2000, 2007}
}

func (r ports) rule() string { return fmt.Sprintf("%s:%d-%d", r.addr, r.first, r.last) }

// portsBeyond has several sessions that use up the ports of a rule.
func portsBeyond(t *testing.T, p *process, of ports, counts *table) {
	row := counts.row("listen", "ports of a rule, more than there are")
	many := int(of.last-of.first) + 1
	request := wire.Request{Kind: wire.Listen, Host: wire.HostOf(of.addr)}
	one, other := p.session(t), p.session(t)
	var held []*mux.Stream
	bound := make(map[uint16]bool)
	for i := range many {
		s := openStream(t, []*client.Client{one, other}[i%2], request)
		port := answerTo(t, s, wire.OK).Bound.Port()
		if bound[port] || port < of.first || port > of.last {
			t.Errorf("port %d is bound twice, or not in the rule", port)
		}
		bound[port] = true
		held = append(held, s)
		counts.add(row, 1, wire.OK.String())
	}
	each(t, scaled(200, 5000), func(t testing.TB, i int) {
		asked := request
		if i%2 == 0 {
			asked.Port = of.first
		}
		s := openStream(t, other, asked)
		counts.add(row, 1, answerTo(t, s, wire.AddressInUse).Code.String())
	})
	// A port that one session gives back is the other's.
	if err := held[0].CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, held[0]); err != nil {
		t.Error(err)
	}
	answerTo(t, openStream(t, other, request), wire.OK)
	one.Close()
	other.Close()
	onlyNeighborListens(t, p)
}

// listenRequests asks for addresses that are none of the client's, and sends bytes that are no
// requests.
func listenRequests(t *testing.T, p *process, counts *table) {
	row := counts.row("listen", "addresses that are none, or that no rule allows")
	c := p.session(t)
	for _, test := range []struct {
		host string
		port uint16
		want wire.Code
	}{
		{"localhost", 0, wire.InvalidRequest},
		{"0x7f.1", 0, wire.InvalidRequest},
		{"127.0.0.1", 80, wire.Denied},
		{"127.0.0.2", 0, wire.Denied},
		{"0.0.0.0", 80, wire.Denied},
		{"::", 80, wire.Denied},
		{"::1", 0, wire.Denied},
		{"::ffff:10.0.0.1", 0, wire.Denied},
		{"224.0.0.1", 5000, wire.Denied},
		{"255.255.255.255", 5000, wire.Denied},
		{"ff02::1", 5000, wire.Denied},
	} {
		for _, kind := range []wire.Kind{wire.Listen, wire.UDPBound} {
			s := openStream(t, c, wire.Request{Kind: kind, Host: wire.ParseHost(test.host), Port: test.port})
			counts.add(row, 1, answerTo(t, s, test.want).Code.String())
		}
	}
	c.Close()

	mutated := counts.row("listen", "sessions of 20 mutated requests")
	each(t, scaled(100, 5000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(5, uint64(i)))
		b := control()
		for j := range uint32(20) {
			id := 3 + 2*j
			request := open(id, []wire.Request{listenOnLoopback, {Kind: wire.Accept, Port: 1}, {Kind: wire.Listen, Host: wire.ParseHost("::"), Family: 6}}[random.IntN(3)])
			head := len(syn(id)) + len(payload(id, nil))
			b = append(b, request[:head]...)
			for _, at := range request[head:] { // the frame's length stays right
				if random.IntN(8) == 0 {
					at = byte(random.Uint32())
				}
				b = append(b, at)
			}
			b = append(b, payload(id, incoming.AppendBacklog(nil, 1))...)
		}
		e := p.greet(t)
		_ = e.bytes(b) // the code tells
		code := e.bye()
		if code != 1000 && code != 4017 {
			t.Errorf("%x: %d, want 1000 or 4017", b, code)
		}
		counts.add(mutated, 1, closed(code))
	})
	onlyNeighborListens(t, p)
}

// backlogs writes lengths of the backlog without end, byte by byte at first.
func backlogs(t *testing.T, p *process, counts *table) {
	row := counts.row("listen", "lengths of a backlog")
	c := p.session(t)
	s, at := listens(t, c)
	random := rand.New(rand.NewPCG(3, 3))
	b := make([]byte, 4*1000)
	sent := scaled(100_000, 2_000_000)
	for i := 0; i < sent; i += len(b) / 4 {
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		pieces := [][]byte{b}
		if i == 0 {
			pieces = nil
			for j := range b {
				pieces = append(pieces, b[j:j+1])
			}
		}
		for _, piece := range pieces {
			if _, err := s.Write(piece); err != nil {
				t.Fatalf("length %d: %v", i, err)
			}
		}
	}
	// It listens as before, and half a length ends it no worse.
	conn := stranger(t, at)
	defer conn.Close()
	answerTo(t, accepts(t, c, nextNumber(t, s)), wire.OK)
	_, _ = s.Write([]byte{0, 0}) // the end tells
	if err := s.CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		t.Error(err)
	}
	counts.add(row, sent, "the last one holds")
	c.Close()
	onlyNeighborListens(t, p)
}

// incomingFloods has strangers that connect to a listener whose client accepts none, and then send
// without end.
func incomingFloods(t *testing.T, p *process, counts *table) {
	row := counts.row("listen", "connections to a listener that accepts none")
	c := p.session(t)
	_, at := listens(t, c)
	before := p.Descriptors()
	var mu sync.Mutex
	var connected []*net.TCPConn
	each(t, scaled(200, 1000), func(t testing.TB, _ int) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // the system drops what it has no room for
		defer cancel()
		conn, err := dial(ctx, at)
		if err != nil {
			counts.add(row, 1, "no answer")
			return
		}
		counts.add(row, 1, "connected")
		mu.Lock()
		defer mu.Unlock()
		connected = append(connected, conn)
	})
	defer func() {
		for _, conn := range connected {
			_ = conn.Close()
		}
	}()
	servertest.Eventually(t, patience, "the server takes what it may", func() bool {
		return p.Metric(t, "sockmux_incoming_connections_waiting") >= maxAnnounced
	})
	if n := p.Metric(t, "sockmux_incoming_connections_waiting"); n > maxAnnounced+neighborListeners {
		t.Errorf("%v connections wait at the server, want %d", n, maxAnnounced)
	}
	if now := p.Descriptors(); now > before+maxAnnounced+spareDescriptors {
		t.Errorf("the server has %d descriptors, before it had %d", now, before)
	}
	if len(connected) > maxAnnounced+maxQueued {
		t.Errorf("%d strangers are connected, want %d at most", len(connected), maxAnnounced+maxQueued)
	}

	// Those that the server has taken are the first.
	endless := counts.row("listen", "connections that send without end and are not accepted")
	b := make([]byte, 64<<10)
	each(t, maxAnnounced, func(t testing.TB, i int) {
		conn, sum := connected[i], 0
		for sum < 4*heldOf {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // never fails on an open socket
			n, err := conn.Write(b)
			sum += n
			if err != nil {
				break
			}
		}
		if sum > heldOf {
			t.Errorf("%d MiB were taken of a stranger, want %d at most", sum>>20, heldOf>>20)
		}
		counts.add(endless, 1, "the stranger waits")
	})
	c.Close()
	onlyNeighborListens(t, p)
	for _, conn := range connected[:maxAnnounced] {
		_ = conn.SetReadDeadline(time.Now().Add(patience)) // never fails on an open socket
		if _, err := conn.Read(b); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Errorf("behind the end of the session: %v, want a reset", err)
		}
	}
}

// incomingEnds has connections that have ended before they are accepted.
func incomingEnds(t *testing.T, p *process, counts *table) {
	c := p.session(t)
	listener, at := listens(t, c)
	for _, test := range []struct {
		input string
		end   func(*net.TCPConn)
		want  wire.Code
	}{
		{"connections with a FIN before they are accepted", func(conn *net.TCPConn) { _ = conn.CloseWrite() }, wire.OK},
		{"connections that are reset before they are accepted", func(conn *net.TCPConn) {
			_ = conn.SetLinger(0) // never fails on an open socket
			_ = conn.Close()
		}, wire.Reset},
	} {
		row := counts.row("listen", test.input)
		for range scaled(50, 5000) {
			conn := stranger(t, at)
			test.end(conn)
			code := endOf(accepts(t, c, nextNumber(t, listener)), 1)
			if code != test.want {
				t.Errorf("%s: %s, want %s", test.input, code, test.want)
			}
			counts.add(row, 1, code.String())
			_ = conn.Close()
		}
	}
	c.Close()
	onlyNeighborListens(t, p)
}

// acceptNumbers guesses numbers of connections, those of the neighbor among them, and uses one more
// than once.
func acceptNumbers(t *testing.T, p *process, counts *table) {
	row := counts.row("listen", "numbers of no connection, or of another session's")
	c := p.session(t)
	each(t, scaled(1000, 1<<16), func(t testing.TB, i int) {
		s := accepts(t, c, uint16(i))
		counts.add(row, 1, answerTo(t, s, wire.Aborted, wire.InvalidRequest).Code.String())
	})
	twice := counts.row("listen", "numbers that are used by four streams at once")
	listener, at := listens(t, c)
	for range scaled(25, 2000) {
		conn := stranger(t, at)
		number := nextNumber(t, listener)
		var mine []*mux.Stream
		for range 4 {
			mine = append(mine, accepts(t, c, number))
		}
		taken := 0
		for _, s := range mine {
			code := answerTo(t, s, wire.OK, wire.Aborted).Code
			if code == wire.OK {
				taken++
			}
			counts.add(twice, 1, code.String())
			_ = s.Reset(wire.Aborted, "") // never fails
		}
		if taken != 1 {
			t.Errorf("%d streams have one connection", taken)
		}
		_ = conn.Close()
	}
	c.Close()
	onlyNeighborListens(t, p)
}
