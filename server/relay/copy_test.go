package relay

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

func echo(conn *net.TCPConn) { _, _ = io.Copy(conn, conn) }

// untilEnd reads until the other end is done.
func untilEnd(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }

func abort(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}

func open(t *testing.T, serveTarget func(*net.TCPConn)) serving {
	t.Helper()
	s := serve(t, t.Context(), local(t, Config{}), "127.0.0.1", listen(t, serveTarget).addr.Port())
	s.want(wire.OK)
	return s
}

func random(n int) []byte {
	data := make([]byte, n)
	rand.Read(data)
	return data
}

// The target answers megabytes and closes at once; the page sends megabytes and its FIN at once.
func TestEveryByteBeforeTheEnd(t *testing.T) {
	down, up := random(5<<20+7), random(5<<20+13)
	got := make(chan []byte, 1)
	s := open(t, func(conn *net.TCPConn) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = conn.Write(down)
			_ = conn.CloseWrite()
		}()
		data, _ := io.ReadAll(conn)
		<-ended
		got <- data
	})
	sent := make(chan error, 1)
	go func() {
		sent <- s.send(up)
		s.fin()
	}()
	data, err := s.recvAll()
	if err != nil || !bytes.Equal(data, down) {
		t.Errorf("page got %d bytes, %v; want the %d of the target and its FIN", len(data), err, len(down))
	}
	if err := <-sent; err != nil {
		t.Errorf("sending: %v", err)
	}
	if data := <-got; !bytes.Equal(data, up) {
		t.Errorf("target got %d bytes; want the %d of the page", len(data), len(up))
	}
	s.wait()
	if gotUp, gotDown := s.relay.Bytes(); gotUp != uint64(len(up)) || gotDown != uint64(len(down)) {
		t.Errorf("%d and %d bytes; want those of both directions", gotUp, gotDown)
	}
}

func TestHalfCloseByThePage(t *testing.T) {
	s := open(t, func(conn *net.TCPConn) {
		data, _ := io.ReadAll(conn) // to the page's FIN
		_, _ = conn.Write(append([]byte("got "), data...))
	})
	if err := s.send([]byte("question")); err != nil {
		t.Fatal(err)
	}
	s.fin()
	if data, err := s.recvAll(); err != nil || string(data) != "got question" {
		t.Errorf("page got %q, %v", data, err)
	}
}

func TestHalfCloseByTheTarget(t *testing.T) {
	got := make(chan string, 1)
	s := open(t, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte("greeting"))
		_ = conn.CloseWrite()
		data, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("target: %v", err)
		}
		got <- string(data)
	})
	if data, err := s.recvAll(); err != nil || string(data) != "greeting" {
		t.Fatalf("page got %q, %v", data, err)
	}
	for range 100 { // long after the target's end
		if err := s.send([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	s.fin()
	if data := <-got; len(data) != 100 {
		t.Errorf("target got %d bytes after its FIN; want 100", len(data))
	}
}

func TestResetByTheTarget(t *testing.T) {
	data := random(100_000)
	read := make(chan struct{})
	s := open(t, func(conn *net.TCPConn) {
		_, _ = conn.Write(data)
		<-read // or the reset would overtake what the system has not yet handed to the relay
		abort(conn)
	})
	if got := s.recv(len(data)); got != string(data) {
		t.Error("the bytes before the reset are not those of the target")
	}
	close(read)
	rest, err := s.recvAll()
	if len(rest) != 0 || codeOf(err) != wire.Reset {
		t.Errorf("page got %d bytes more and %v; want reset", len(rest), err)
	}
	s.wait()
	if got := ended(s.relay); got[wire.Reset] != 1 {
		t.Errorf("ended %v; want one reset", got)
	}
}

// While the page writes, the system reports a reset to whichever direction asks first. It
// must be a reset for the page either way.
func TestResetWhileThePageWrites(t *testing.T) {
	for range 30 {
		s := open(t, func(conn *net.TCPConn) {
			_, _ = io.ReadFull(conn, make([]byte, 64<<10))
			abort(conn)
		})
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			for s.send(make([]byte, 8<<10)) == nil {
			}
		}()
		if _, err := s.recvAll(); codeOf(err) != wire.Reset {
			t.Fatalf("page got %v; want reset", err)
		}
		<-sent
		s.wait()
	}
}

// A target that has closed, not only ended its own direction, answers what still comes
// with a reset: the page learns it at its writes.
func TestTargetClosedWhileThePageWrites(t *testing.T) {
	s := open(t, func(conn *net.TCPConn) { _, _ = conn.Write([]byte("bye")) })
	if data, err := s.recvAll(); err != nil || string(data) != "bye" {
		t.Fatalf("page got %q, %v", data, err)
	}
	var err error
	for err == nil {
		err = s.send([]byte("more"))
	}
	if codeOf(err) != wire.Reset {
		t.Errorf("page's writes end with %v; want reset", err)
	}
	s.wait()
	if got := ended(s.relay); got[wire.Reset] != 1 {
		t.Errorf("ended %v; want one reset", got)
	}
}

func TestPageResets(t *testing.T) {
	ends := make(chan error, 1)
	s := open(t, func(conn *net.TCPConn) {
		_, err := conn.Read(make([]byte, 1))
		ends <- err
	})
	s.reset(wire.Reset)
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v; want a reset", err)
	}
	s.wait()
	if got := ended(s.relay); got[wire.Reset] != 1 {
		t.Errorf("ended %v; want one reset", got)
	}
}

func TestPageGoneWhileTheTargetFloods(t *testing.T) {
	s := open(t, func(conn *net.TCPConn) {
		for {
			if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	s.recv(1 << 20)
	s.reset(wire.Aborted)
}

// The page has closed its read side: what the target sends is dropped, what the page sends arrives.
func TestPageStopsReadingAndWritesOn(t *testing.T) {
	up := random(3 << 20)
	got := make(chan []byte, 1)
	s := open(t, func(conn *net.TCPConn) {
		for range 64 { // more than the buffers between hold: were it not taken, the target would never read
			if _, err := conn.Write(make([]byte, 256<<10)); err != nil {
				t.Errorf("target: %v", err)
			}
		}
		data, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("target: %v", err)
		}
		got <- data
	})
	s.recv(100)
	s.stop()
	if err := s.send(up); err != nil {
		t.Fatal(err)
	}
	s.fin()
	if data := <-got; !bytes.Equal(data, up) {
		t.Errorf("target got %d bytes; want %d", len(data), len(up))
	}
}

// A page that closes its socket does not wait for the target's end, and the stream does not either.
func TestPageClosesAndTheTargetDoesNot(t *testing.T) {
	for _, answer := range []string{"", "an answer that is not read"} {
		release := make(chan struct{})
		got := make(chan string, 1)
		target := listen(t, func(conn *net.TCPConn) {
			data, _ := io.ReadAll(conn)
			got <- string(data)
			_, _ = io.WriteString(conn, answer)
			<-release
		})
		r := local(t, Config{})
		r.linger = time.Millisecond
		p := newPage(t, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: target.addr.Port()})
		if err := p.send([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		p.fin()
		p.stop()
		r.Serve(t.Context(), p)
		close(release)
		if data := <-got; data != "last words" {
			t.Errorf("target got %q", data)
		}
		if got := ended(r); got[wire.OK] != 1 {
			t.Errorf("ended %v; want one ok", got)
		}
	}
}
