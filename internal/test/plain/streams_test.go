package plain_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestEcho moves more than any window and any message of the other route over several
// streams at once. Each ends with both half-closes.
func TestEcho(t *testing.T) {
	s := start(t)
	echo := product.Echo(t)
	session, _ := dial(t, s, nil)
	var streams sync.WaitGroup
	for i, size := range []int{5 << 20, 1 << 20, 1000} {
		stream := open(t, session, echo)
		streams.Go(func() {
			sent := make([]byte, size)
			rand.NewChaCha8([32]byte{byte(i)}).Read(sent)
			go func() {
				if _, err := stream.Write(sent); err != nil {
					t.Errorf("write: %v", err)
				}
				_ = stream.Close() // yamux's half-close
			}()
			if got, err := io.ReadAll(stream); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes of %d came back, %v", len(got), len(sent), err)
			}
		})
	}
	streams.Wait()
	servertest.Eventually(t, patience, "no stream is left", func() bool { return s.Metric(t, "sockmux_streams") == 0 })
}

// TestResults tells the truth about a target that cannot be had.
func TestResults(t *testing.T) {
	s := product.Start(t, "--allow-yamux", "--deny", "127.0.0.1:9", "--allow", "127.0.0.1")
	session, _ := dial(t, s, nil)
	refusing := netip.MustParseAddrPort(servertest.Refusing(t)).Port()
	for _, test := range []struct {
		request wire.Request
		want    wire.Code
	}{
		{wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: 9}, wire.Denied},
		{wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: refusing}, wire.Refused},
		{wire.Request{Kind: wire.TCP, Host: wire.ParseHost("no.such.name.invalid"), Port: 80}, wire.NameNotFound},
		{wire.Request{Kind: wire.TCP, Host: wire.ParseHost("172.29.1.1"), Port: 80}, wire.FakeAddress},
		{wire.Request{Kind: wire.UDP, Host: wire.ParseHost("127.0.0.1"), Port: 9}, wire.Denied},
		{wire.Request{Kind: wire.WebSocket, Host: wire.ParseHost("127.0.0.1"), Port: 9}, wire.Denied},
		{wire.Request{Kind: wire.Listen, Host: wire.ParseHost("127.0.0.1"), Port: 80}, wire.Denied},
		{wire.Request{Kind: wire.Accept, Port: 1}, wire.Aborted},
		{wire.Request{Kind: wire.Control}, wire.UnsupportedKind},
	} {
		stream, result := ask(t, session, test.request)
		if result.Code != test.want || result.Text == "" {
			t.Errorf("%s %s: %s %q, want %s", test.request.Kind, test.request.Target(), result.Code, result.Text, test.want)
		}
		if rest, err := io.ReadAll(stream); err != nil || len(rest) > 0 {
			t.Errorf("%s: %q and %v behind the result", test.request.Target(), rest, err)
		}
	}
	// A request that does not decode, and a stream that ends without one.
	for what, message := range map[string][]byte{
		"nonsense": {0, 6, 77, 1, 1, 'x', 0, 80}, "too long": {0xff, 0xff, 1}, "empty": {0, 0}, "nothing": {},
	} {
		stream, err := session.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Write(message); err != nil {
			t.Fatal(err)
		}
		_ = stream.Close() // the result still comes
		want := wire.InvalidRequest
		if what == "nonsense" {
			want = wire.UnsupportedKind
		}
		if result := resultOf(t, stream); result.Code != want {
			t.Errorf("%s: %s %q, want %s", what, result.Code, result.Text, want)
		}
	}
}

// TestResolve has the kind resolve as well.
func TestResolve(t *testing.T) {
	s := start(t)
	session, _ := dial(t, s, nil)
	stream, result := ask(t, session, wire.Request{Kind: wire.Resolve, Host: wire.ParseHost("127.0.0.1")})
	if result.Code != wire.OK {
		t.Fatalf("%s %s", result.Code, result.Text)
	}
	got, err := io.ReadAll(stream)
	if want := []byte{4, 127, 0, 0, 1}; err != nil || !bytes.HasSuffix(got, want) {
		t.Errorf("answer %x, %v", got, err)
	}
}

// TestTargetResets gives the client yamux's RST, behind what the target sent.
func TestTargetResets(t *testing.T) {
	s := start(t)
	reset := make(chan struct{})
	target := product.Target(t, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte("before"))
		<-reset
		_ = conn.SetLinger(0)
	})
	session, _ := dial(t, s, nil)
	stream := open(t, session, target)
	if _, err := io.ReadFull(stream, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	close(reset)
	if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, yamux.ErrConnectionReset) {
		t.Errorf("read: %v, want a reset", err)
	}
	s.WaitLog(`"code":"reset"`)
}

// TestClientEnds shows the target what the client has done: a FIN behind all bytes, or a
// reset.
func TestClientEnds(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		what string
		end  func(*peer)
		want string
	}{
		{"FIN", func(p *peer) { p.send(frame(update, fin, 1, 0)) }, "EOF"},
		{"RST", func(p *peer) { p.send(frame(update, rst, 1, 0)) }, "reset"},
		{"close behind FIN", func(p *peer) {
			p.send(frame(update, fin, 1, 0))
			_ = p.ws.Close(websocket.StatusNormalClosure, "")
		}, "EOF"},
		{"cut behind FIN", func(p *peer) {
			p.send(frame(update, fin, 1, 0))
			p.seen(ping, ack, frame(ping, syn, 0, 1)) // the FIN has arrived
			_ = p.ws.CloseNow()
		}, "EOF"},
		{"close without FIN", func(p *peer) { _ = p.ws.Close(websocket.StatusNormalClosure, "") }, "reset"},
		{"cut without FIN", func(p *peer) { _ = p.ws.CloseNow() }, "reset"},
		{"close inside a frame", func(p *peer) {
			p.send(frame(data, fin, 1, 100, 'x'))
			_ = p.ws.Close(websocket.StatusNormalClosure, "")
		}, "reset"},
	} {
		t.Run(test.what, func(t *testing.T) {
			began, ended := make(chan struct{}), make(chan string, 1)
			target := product.Target(t, func(conn *net.TCPConn) {
				_, err := io.ReadFull(conn, make([]byte, 5))
				close(began)
				if err == nil {
					_, err = io.Copy(io.Discard, conn)
				}
				switch {
				case err == nil:
					ended <- "EOF"
				case errors.Is(err, syscall.ECONNRESET):
					ended <- "reset"
				default:
					ended <- fmt.Sprint(err)
				}
			})
			p := newPeer(t, s)
			p.send(append(p.request(1, target), frame(data, 0, 1, 5, []byte("whole")...)...))
			servertest.Within(t, patience, "the target has the bytes", began)
			test.end(p)
			if got := servertest.Within(t, patience, "the target sees the end", ended); got != test.want {
				t.Errorf("the target saw %s, want %s", got, test.want)
			}
		})
	}
}

// TestCloseDelivers delivers what a client has written and ended before it closed its
// session, to a target that takes its time.
func TestCloseDelivers(t *testing.T) {
	s := start(t)
	closed, got := make(chan struct{}), make(chan int64, 1)
	target := product.Target(t, func(conn *net.TCPConn) {
		<-closed
		n, err := io.Copy(io.Discard, conn)
		if err != nil {
			n = -1
		}
		got <- n
	})
	const size = 1 << 20 // less than the windows, more than the buffers of the path
	p := newPeer(t, s)
	p.send(p.request(1, target))
	p.seen(update, ack, nil) // the window is as large as it gets
	p.send(frame(data, fin, 1, size, make([]byte, size)...))
	if err := p.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Logf("close: %v", err) // the server may close first
	}
	close(closed)
	if n := servertest.Within(t, patience, "the target has all bytes", got); n != size {
		t.Errorf("the target got %d bytes, want %d", n, size)
	}
}
