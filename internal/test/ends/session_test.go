package ends_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestSessionClosed: what a client has written arrives with its FIN when the client is closed,
// however much it is and however late and slowly the target reads.
func TestSessionClosed(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	for _, size := range []int64{50_000, 200_000, 400_000} {
		for _, wait := range []time.Duration{0, late, 3 * late} {
			t.Run(fmt.Sprintf("%d bytes, read after %s", size, wait), func(t *testing.T) {
				t.Parallel()
				sc := newScene(t, s, paths[0], readsLate(slowBuffer, wait))
				sc.send(sc.open(), size)
				sc.client.Close()
				wantSeen(t, "target", sc.targetSaw(), seen{size, "EOF"})
				if code := sc.accessLine(); code != "ok" {
					t.Errorf("the access line says %s", code)
				}
			})
		}
	}
}

// TestSlowTarget: a target that takes a little at a time gets all of it, long after the session
// has ended.
func TestSlowTarget(t *testing.T) {
	const (
		size  = 64_000
		piece = 4000
		pause = 500 * time.Millisecond // 8 s in all
	)
	s := product.Start(t, "--allow", "127.0.0.1")
	sc := newScene(t, s, paths[0], func(conn *net.TCPConn) seen {
		if err := conn.SetReadBuffer(slowBuffer); err != nil {
			return seen{0, err.Error()}
		}
		return read(paced{conn, piece, pause})
	})
	sc.send(sc.open(), size)
	sc.client.Close()
	wantSeen(t, "target", sc.targetSaw(), seen{size, "EOF"})
}

// paced reads a piece after each pause.
type paced struct {
	io.Reader
	piece int
	pause time.Duration
}

func (p paced) Read(b []byte) (int, error) {
	time.Sleep(p.pause) // the pace of the target, not a wait for something
	return p.Reader.Read(b[:min(len(b), p.piece)])
}

// TestClosedEarly: 20 of 20 streams are delivered that a client opens, writes and is done with
// before there is an answer.
func TestClosedEarly(t *testing.T) {
	const runs, size = 20, 100_000
	for _, way := range []struct {
		name           string
		stream, client bool // what is closed
	}{
		{"stream", true, false},
		{"client", false, true},
		{"stream and client", true, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := product.Start(t, "--allow", "127.0.0.1")
			for range runs {
				sc := newScene(t, s, paths[0], reader)
				stream, err := sc.client.Open(product.Request(sc.target))
				sc.must(err)
				sc.send(stream, size)
				if way.stream {
					sc.must(stream.Close())
				}
				if way.client {
					sc.client.Close()
				}
				wantSeen(t, "target", sc.targetSaw(), seen{size, "EOF"})
				if code := sc.accessLine(); code != "ok" {
					t.Errorf("the access line says %s", code)
				}
			}
		})
	}
}

// TestUploadCut: a client that is closed while a Write is under way never makes the target
// believe that it has all.
func TestUploadCut(t *testing.T) {
	const runs = 20
	s := product.Start(t, "--allow", "127.0.0.1")
	for i := range runs {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			start := make(chan struct{})
			sc := newScene(t, s, paths[0], func(conn *net.TCPConn) seen {
				<-start
				return read(conn)
			})
			stream := sc.open()
			wrote := make(chan int64)
			go func() {
				n, err := io.Copy(stream, data(64<<20)) // more than all buffers on the way
				if err == nil {
					t.Error("64 MiB were taken without a reader")
				}
				wrote <- n
			}()
			stalled(t, sc.client)
			sc.client.Close()
			if n := <-wrote; n == 0 {
				t.Error("nothing was written")
			}
			close(start)
			if got := sc.targetSaw(); got.end != "reset" {
				t.Errorf("the target saw %+v, want a reset", got)
			}
		})
	}
}

// stalled waits until a client sends no more.
func stalled(t *testing.T, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for last, same := uint64(0), 0; same < 3; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the client goes on sending")
		}
		stats, _ := c.Stats()
		if same++; stats.Sent != last || stats.Sent == 0 {
			last, same = stats.Sent, 0
		}
	}
}

// TestOlderClient: a client of an earlier release sends only CLOSE, with its streams open. They
// end as if it had closed each of them.
func TestOlderClient(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	for _, size := range []int64{50_000, 400_000} {
		sc := newScene(t, s, paths[0], readsLate(slowBuffer, late))
		carrier, err := product.Transport(s.ConnectURL())(t.Context())
		sc.must(err)
		hello := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume}
		sc.must(carrier.Send(t.Context(), hello.Append(nil)))
		answer, err := carrier.Receive(t.Context())
		sc.must(err)
		if m, err := wire.Decode(answer); err != nil {
			t.Fatal(err)
		} else if _, ok := m.(wire.Welcome); !ok {
			t.Fatalf("the server answers %+v", m)
		}
		l := link.New(link.Config{})
		var run sync.WaitGroup
		run.Go(func() { _ = l.Run(t.Context(), carrier, 0) }) // ends with its link
		session, err := mux.Client(l, mux.Config{})
		sc.must(err)
		stream, err := session.Open(product.Request(sc.target))
		sc.must(err)
		_, err = stream.Result(t.Context())
		sc.must(err)
		sc.send(stream, size)
		sc.must(l.Shutdown(t.Context(), wire.OK, ""))
		session.Close()
		run.Wait()
		wantSeen(t, "target", sc.targetSaw(), seen{size, "EOF"})
		if code := sc.accessLine(); code != "ok" {
			t.Errorf("the access line says %s", code)
		}
	}
}

// TestManyClosedAtOnce: a client opens more streams than the server takes at once, writes to each
// and is closed. All of them are dialed and delivered.
func TestManyClosedAtOnce(t *testing.T) {
	const streams, size = 200, 5000
	s := product.Start(t, "--allow", "127.0.0.1")
	saw := make(chan seen, streams)
	target := product.Target(t, func(conn *net.TCPConn) { saw <- read(conn) })
	c := s.Dial(t)
	for range streams {
		stream, err := c.Open(product.Request(target))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(stream, data(size)); err != nil {
			t.Fatal(err)
		}
	}
	c.Close()
	for range streams {
		select {
		case got := <-saw:
			wantSeen(t, "target", got, seen{size, "EOF"})
		case <-time.After(patience):
			t.Fatal("a stream was not delivered")
		}
	}
}
