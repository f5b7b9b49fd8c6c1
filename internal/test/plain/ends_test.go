package plain_test

import (
	"bytes"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// TestServerEnds does not let a stream that the server cuts look complete: hashicorp/yamux
// makes EOF of the end of a session.
func TestServerEnds(t *testing.T) {
	s := start(t, "--drain-timeout", "100ms")
	target := product.Target(t, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte("half"))
		_, _ = io.Copy(io.Discard, conn) // until the end
	})
	session, _ := dial(t, s, nil)
	stream := open(t, session, target)
	if _, err := io.ReadFull(stream, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGTERM)
	if n, err := stream.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the stream ended with %d bytes and %v, want an error", n, err)
	}
	s.Wait()
}

// TestServerEndsDownloads is TestServerEnds for streams that always have more.
func TestServerEndsDownloads(t *testing.T) {
	s := start(t, "--drain-timeout", "100ms")
	target := product.Target(t, func(conn *net.TCPConn) {
		for b := make([]byte, 64<<10); ; {
			if _, err := conn.Write(b); err != nil {
				return
			}
		}
	})
	session, _ := dial(t, s, nil)
	ends := make(chan error, 5)
	for range cap(ends) {
		stream := open(t, session, target)
		go func() {
			_, err := io.Copy(io.Discard, stream)
			ends <- err
		}()
	}
	s.Signal(syscall.SIGTERM)
	for range cap(ends) {
		if err := servertest.Within(t, patience, "a download ends", ends); err == nil {
			t.Error("a download that was cut looks complete")
		}
	}
	s.Wait()
}

// TestCloseAtOnce delivers what a client writes without waiting for anything: request,
// bytes, FIN and the end of the connection.
func TestCloseAtOnce(t *testing.T) {
	s := start(t)
	got := make(chan []byte, 1)
	target := product.Target(t, func(conn *net.TCPConn) {
		b, err := io.ReadAll(conn)
		if err != nil {
			b = nil
		}
		got <- b
	})
	for what, end := range map[string]func(*peer){
		"close": func(p *peer) { _ = p.ws.Close(websocket.StatusNormalClosure, "") },
		"cut":   func(p *peer) { _ = p.ws.CloseNow() },
	} {
		p := newPeer(t, s)
		want := bytes.Repeat([]byte("all of it"), 1000)
		p.send(append(p.request(1, target), frame(data, fin, 1, uint32(len(want)), want...)...))
		end(p)
		if b := servertest.Within(t, patience, "the target has it", got); !bytes.Equal(b, want) {
			t.Errorf("%s: the target got %d bytes, want %d", what, len(b), len(want))
		}
	}
}

// TestCutBesideDownload delivers an upload that has its FIN, although the connection is reset
// while the same stream downloads: the server then fails to write before it has read all.
func TestCutBesideDownload(t *testing.T) {
	s := start(t)
	type outcome struct {
		n   int
		err error
	}
	got := make(chan outcome, 1)
	target := product.Target(t, func(conn *net.TCPConn) {
		go func() {
			for b := make([]byte, 64<<10); ; {
				if _, err := conn.Write(b); err != nil {
					return
				}
			}
		}()
		n, err := io.Copy(io.Discard, conn)
		got <- outcome{int(n), err}
	})
	for range 5 {
		p := newPeer(t, s)
		if h := p.seen(data, 0, p.request(1, target)); h.stream != 1 {
			t.Fatalf("data of stream %d", h.stream)
		}
		const size = 20_000
		p.send(frame(data, fin, 1, size, make([]byte, size)...))
		_ = p.ws.CloseNow() // what is not read makes it a reset
		if end := servertest.Within(t, patience, "the upload ends", got); end != (outcome{size, nil}) {
			t.Fatalf("the target got %d of %d bytes, then %v", end.n, size, end.err)
		}
	}
}
