package hostile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// answers is a target on loopback that answers each datagram with so many of size bytes.
func answers(t *testing.T, many, size int) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() { // ends with the socket
		b, payload := make([]byte, datagram.MaxPayload), make([]byte, size)
		for {
			_, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for range many {
				_, _ = conn.WriteToUDPAddrPort(payload, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// session returns one whose streams the attacks open.
func (p *process) session(t *testing.T) *client.Client {
	c := client.New(client.Config{Dial: product.Transport(p.ConnectURL())})
	t.Cleanup(c.Close)
	return c
}

// openStream opens a stream and waits for no answer.
func openStream(t testing.TB, c *client.Client, request wire.Request) *mux.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := c.OpenContext(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answerTo waits for the answer to a request, which has the code.
func answerTo(t testing.TB, s *mux.Stream, want ...wire.Code) wire.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := s.Result(ctx)
	if err != nil || !slices.Contains(want, result.Code) {
		t.Errorf("%+v, %v; want %s", result, err, want)
	}
	return result
}

func record(t *testing.T, to datagram.Peer, payload []byte) []byte {
	t.Helper()
	b, err := datagram.Record{Peer: to, Payload: payload}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// datagramRecords sends bytes that are no records, in pieces of every size.
func datagramRecords(t *testing.T, p *process, counts *table) {
	row := counts.row("udp", "bytes that are no records")
	c := p.session(t)
	each(t, scaled(200, 5000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(7, uint64(i)))
		s := openStream(t, c, wire.Request{Kind: wire.UDP})
		b := []byte{0, 0, byte(2 + random.IntN(2))} // no form of an address
		if i%2 == 0 {
			b = append([]byte{255, 255, 0}, b...) // longer than any datagram
		}
		for j := range b {
			if _, err := s.Write(b[j : j+1]); err != nil {
				break // the server has reset it
			}
		}
		_, err := io.Copy(io.Discard, s)
		var coded *wire.Error
		if !errors.As(err, &coded) || coded.Code != wire.Protocol {
			t.Errorf("%x: %v, want protocol", b, err)
		}
		counts.add(row, 1, "protocol")
		_ = s.Close() // it has ended
	})
}

// datagramFloods sends as fast as the line takes it: to a target that takes it, to names that are
// new each time, to more targets than are remembered, and to what the policy denies.
func datagramFloods(t *testing.T, p *process, counts *table) {
	quiet := answers(t, 0, 0)
	denied := netip.MustParseAddrPort("10.0.0.1:9")
	for _, flood := range []struct {
		name string
		to   func(i int) datagram.Peer
	}{
		{"datagrams to one target", func(int) datagram.Peer { return datagram.PeerAt(quiet) }},
		{"datagrams to a new name each", func(i int) datagram.Peer {
			return datagram.Peer{Host: wire.ParseHost(fmt.Sprintf("n%d.localhost", i)), Port: quiet.Port()}
		}},
		{"datagrams to a new address each", func(i int) datagram.Peer {
			return datagram.PeerAt(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), 9))
		}},
		{"datagrams that are denied", func(int) datagram.Peer { return datagram.PeerAt(denied) }},
	} {
		row := counts.row("udp", flood.name)
		s := openStream(t, p.session(t), wire.Request{Kind: wire.UDP})
		sent := scaled(20_000, 1_000_000)
		payload := make([]byte, 100)
		for i := range sent {
			if _, err := s.Write(record(t, flood.to(i), payload)); err != nil {
				t.Fatalf("%s, datagram %d: %v", flood.name, i, err)
			}
		}
		// It is served to the last one, though the client has read no report.
		if err := s.CloseWrite(); err != nil {
			t.Error(err)
		}
		if _, err := io.Copy(io.Discard, s); err != nil {
			t.Errorf("%s: %v", flood.name, err)
		}
		counts.add(row, sent, "served or dropped")
	}
}

// datagramAmplified: targets answer a hundredfold, and the client reads nothing.
func datagramAmplified(t *testing.T, p *process, counts *table) {
	row := counts.row("udp", "questions whose answers, a hundredfold, are not read")
	sent := scaled(1000, 20_000)
	var streams []*mux.Stream
	up := p.Metric(t, `sockmux_datagrams_total{direction="up"}`)
	before := p.Metric(t, `sockmux_datagrams_dropped_total{direction="down",reason="late"}`)
	for range 4 {
		loud := answers(t, 100, 1200) // of its own, so that some questions find room there
		s := openStream(t, p.session(t), wire.Request{Kind: wire.UDP, Host: wire.HostOf(loud.Addr()), Port: loud.Port()})
		ask := bytes.Repeat(record(t, datagram.Peer{}, []byte("x")), sent)
		if _, err := s.Write(ask); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Read(make([]byte, 64<<10)); n == 0 || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		streams = append(streams, s)
	}
	// Ten questions have answers of more than the window and the system hold.
	servertest.Eventually(t, patience, "the targets are asked", func() bool {
		return p.Metric(t, `sockmux_datagrams_total{direction="up"}`) >= up+float64(40)
	})
	servertest.Eventually(t, patience, "what is too much is dropped and counted", func() bool {
		return p.Metric(t, `sockmux_datagrams_dropped_total{direction="down",reason="late"}`) > before
	})
	for _, s := range streams {
		_ = s.Reset(wire.Aborted, "") // never fails
	}
	counts.add(row, 4*sent, "dropped")
}

// datagramSockets opens as many sockets as a session may have, in several sessions, and uses each.
func datagramSockets(t *testing.T, p *process, counts *table) {
	row := counts.row("udp", "sockets, as many as there may be")
	quiet := answers(t, 0, 0)
	up := p.Metric(t, `sockmux_datagrams_total{direction="up"}`)
	all := 0
	for range 4 {
		c := p.session(t)
		for range 250 { // 256 is the default
			s := openStream(t, c, wire.Request{Kind: wire.UDP})
			if _, err := s.Write(record(t, datagram.PeerAt(quiet), []byte("x"))); err != nil {
				t.Fatal(err)
			}
			all++
		}
		defer c.Close()
	}
	servertest.Eventually(t, patience, "each socket sends", func() bool {
		return p.Metric(t, `sockmux_datagrams_total{direction="up"}`) >= up+float64(all)
	})
	counts.add(row, all, "served")
}

// strangerFloods sends to bound sockets whose client reads nothing, from many addresses.
func strangerFloods(t *testing.T, p *process, counts *table) {
	row := counts.row("udp_bound", "datagrams of strangers that are not read")
	c := p.session(t)
	request := wire.Request{Kind: wire.UDPBound, Host: wire.ParseHost("127.0.0.1")}
	s := openStream(t, c, request)
	result := answerTo(t, s, wire.OK)
	before := p.Metric(t, `sockmux_datagrams_dropped_total{direction="down",reason="late"}`)
	payload := make([]byte, 1200)
	many := scaled(50_000, 1_000_000)
	for i := 0; i < many; {
		stranger, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 2, byte(i>>16), byte(i>>8))}, net.UDPAddrFromAddrPort(result.Bound))
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			_, _ = stranger.Write(payload) // what the system does not take is lost too
			i++
		}
		_ = stranger.Close()
	}
	servertest.Eventually(t, patience, "what is too much is dropped and counted", func() bool {
		return p.Metric(t, `sockmux_datagrams_dropped_total{direction="down",reason="late"}`) > before+float64(many)/2
	})
	// The client comes back to it: the socket still works.
	got := make([]byte, 64<<10)
	if n, err := s.Read(got); n == 0 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	_ = s.Reset(wire.Aborted, "") // never fails
	counts.add(row, many, "dropped")
	over := counts.row("udp_bound", "ports, more than there may be")
	var asked []*mux.Stream
	for range 40 {
		asked = append(asked, openStream(t, c, request))
	}
	held := 0
	for _, s := range asked {
		if answerTo(t, s, wire.OK, wire.Limit).Code == wire.OK {
			held++
		}
	}
	if held < 15 || held > 16 { // the first socket may be there yet
		t.Errorf("%d ports are bound, want 16", held)
	}
	counts.add(over, 40, "limit")
	c.Close()
	servertest.Eventually(t, patience, "the ports are free", func() bool { return p.Metric(t, "sockmux_listeners") == 0 })
}
