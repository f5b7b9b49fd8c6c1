package plain_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestDatagrams: a client in any language sends datagrams.
func TestDatagrams(t *testing.T) {
	peer, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	_ = peer.SetDeadline(time.Now().Add(patience)) // of an open socket: never fails
	at := peer.LocalAddr().(*net.UDPAddr).AddrPort()
	session, _ := dial(t, start(t), nil)
	stream, result := ask(t, session, wire.Request{Kind: wire.UDP, Host: wire.HostOf(at.Addr()), Port: at.Port()})
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	defer stream.Close()
	query, err := datagram.Record{Payload: []byte("query")}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(query); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, from, err := peer.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "query" {
		t.Fatalf("%q, %v", b[:n], err)
	}
	if _, err := peer.WriteToUDPAddrPort([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	if got := datagramOf(t, stream); string(got.Payload) != "answer" {
		t.Errorf("got %q", got.Payload)
	}
}

// TestBoundDatagrams: a client in any language binds a port for datagrams, where the policy allows
// it, and answers strangers.
func TestBoundDatagrams(t *testing.T) {
	session, _ := dial(t, product.Start(t, "--allow-yamux", "--allow-listen", "udp://127.0.0.1:*"), nil)
	bind := func(address string) (net.Conn, wire.Result) {
		at := netip.MustParseAddrPort(address)
		return ask(t, session, wire.Request{Kind: wire.UDPBound, Host: wire.HostOf(at.Addr()), Port: at.Port()})
	}
	if _, result := bind("127.0.0.2:0"); result.Code != wire.Denied {
		t.Errorf("an address that no rule names: %+v", result)
	}
	stream, result := bind("127.0.0.1:0")
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	if _, again := bind(result.Bound.String()); again.Code != wire.AddressInUse {
		t.Errorf("the same port: %+v", again)
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(result.Bound))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience)) // of an open socket: never fails
	if _, err := conn.Write([]byte("question")); err != nil {
		t.Fatal(err)
	}
	question := datagramOf(t, stream)
	own := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if string(question.Payload) != "question" || question.Peer != datagram.PeerAt(own) {
		t.Errorf("%+v, want one of %s", question, own)
	}
	answer, err := datagram.Record{Peer: question.Peer, Payload: []byte("answer")}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(answer); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := conn.Read(b); err != nil || string(b[:n]) != "answer" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

// datagramOf returns the next datagram of a stream.
func datagramOf(t *testing.T, stream net.Conn) (got datagram.Record) {
	t.Helper()
	_ = stream.SetReadDeadline(time.Now().Add(patience)) // never fails
	var decoder datagram.Decoder
	b := make([]byte, 100)
	for came := false; !came; {
		n, err := stream.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		err = decoder.Decode(b[:n], func(r datagram.Record) {
			got, came = r, true
			got.Payload = bytes.Clone(r.Payload)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// TestListen: a client in any language listens, and takes what comes in by a stream of its own.
func TestListen(t *testing.T) {
	session, _ := dial(t, product.Start(t, "--allow-yamux", "--allow-listen", "127.0.0.1:*"), nil)
	listener, result := ask(t, session, wire.Request{Kind: wire.Listen, Host: wire.ParseHost("127.0.0.1")})
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	defer listener.Close()
	if _, err := listener.Write(incoming.AppendBacklog(nil, 1)); err != nil {
		t.Fatal(err)
	}
	outside, err := net.DialTimeout("tcp", result.Bound.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	_ = listener.SetReadDeadline(time.Now().Add(patience)) // never fails
	record, err := incoming.Read(listener)
	if err != nil {
		t.Fatal(err)
	}
	conn, result := ask(t, session, wire.Request{Kind: wire.Accept, Port: record.Number})
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	defer conn.Close()
	if _, err := outside.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 5)
	if n, err := conn.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("%q, %v", b[:n], err)
	}
}
