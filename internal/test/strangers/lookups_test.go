package strangers_test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// known is the one name that the DNS server of a test answers.
const known = "known.test."

// dnsOf starts a DNS server that answers questions for known with 127.0.0.1 and no others.
// asked gets a value for each of the others.
func dnsOf(t *testing.T, asked chan<- struct{}) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close() // it has no other fault than being closed
		<-done
	})
	go func() {
		defer close(done)
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if err := m.Unpack(buffer[:n]); err != nil {
				t.Errorf("query: %v", err)
				return
			}
			q := m.Questions[0]
			if q.Name.String() != known {
				select {
				case asked <- struct{}{}:
				default:
				}
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q.Type == dnsmessage.TypeA {
				header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}
				m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
			}
			answer, err := m.Pack()
			if err == nil {
				_, err = conn.WriteTo(answer, from)
			}
			if err != nil {
				t.Errorf("answer: %v", err)
			}
		}
	}()
	return conn.LocalAddr().String()
}

// One session whose names no server answers leaves lookups for others, however few descriptors
// there are.
func TestLookupsOfOneSessionLeaveOthers(t *testing.T) {
	const lookups = 100
	asked := make(chan struct{}, 1)
	server := product.Options{Files: 300}.Start(t, "--allow", "127.0.0.1", "--dns", dnsOf(t, asked))
	echo := product.Echo(t)
	hog := server.Dial(t, newSource(t, hostile).client(server))
	for i := range lookups {
		if _, err := hog.Open(wire.Request{Kind: wire.TCP, Host: fmt.Sprintf("name%d.test", i), Port: 80}); err != nil {
			t.Fatal(err)
		}
	}
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := server.Dial(t, newSource(t, honest).client(server)).Open(wire.Request{Kind: wire.TCP, Host: "known.test", Port: echo.Port()})
	if err != nil {
		t.Fatal(err)
	}
	result, err := stream.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Errorf("a neighbor's name: %v", err)
	}
}
