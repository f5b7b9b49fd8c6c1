package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// got is what a server's handler has read of a stream.
type got struct {
	n   int
	err error // nil: FIN
}

// reading returns a server whose handlers report what they read.
func reading(t *testing.T) (*server, <-chan got) {
	all := make(chan got, 100)
	s := &server{t: t, answer: welcome, handle: func(stream *mux.Stream) {
		b, err := io.ReadAll(stream)
		all <- got{len(b), err}
	}}
	return s, all
}

func mustOpen(t *testing.T, c *client.Client) *mux.Stream {
	t.Helper()
	stream, err := c.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func mustWrite(t *testing.T, stream *mux.Stream, n int) {
	t.Helper()
	if _, err := stream.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

// TestCloseDelivers: what was written arrives with its FIN, also for a client that is closed
// before there is a connection or an answer, and with streams that were not closed.
func TestCloseDelivers(t *testing.T) {
	s, all := reading(t)
	const streams, size = 40, 200 // a link without a carrier takes 16 KiB
	closing := make(chan struct{})
	c := client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
		<-closing // the client is closed while it dials
		return s.dial(ctx)
	}})
	var last *mux.Stream
	for i := range streams {
		last = mustOpen(t, c)
		mustWrite(t, last, size)
		if i%2 == 0 {
			if err := last.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.Close()
	}()
	if _, err := last.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) { // until the client is closed
		t.Errorf("read: %v", err)
	}
	close(closing)
	<-closed
	for range streams {
		if g := <-all; g.n != size || g.err != nil {
			t.Errorf("%d bytes of %d, then %v", g.n, size, g.err)
		}
	}
	s.close()
}

// TestCloseResetsWrites: what a Write has under way never looks complete.
func TestCloseResetsWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, all := reading(t)
		read, go_ := s.handle, make(chan struct{})
		s.handle = func(stream *mux.Stream) {
			<-go_
			read(stream)
		}
		c := client.New(client.Config{Dial: s.dial})
		stream := mustOpen(t, c)
		wrote := make(chan error, 1)
		go func() {
			_, err := stream.Write(make([]byte, 8<<20)) // more than any window
			wrote <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-wrote; !errors.Is(err, wire.NewError(wire.Aborted, "")) {
			t.Errorf("write: %v", err)
		}
		close(go_)
		if g := <-all; g.n == 0 || !errors.Is(g.err, wire.NewError(wire.Aborted, "")) {
			t.Errorf("%d bytes, then %v", g.n, g.err)
		}
		s.close()
	})
}

// slow is a carrier that takes a message each second.
type slow struct{ link.Carrier }

func (s slow) Send(ctx context.Context, message []byte) error {
	time.Sleep(time.Second)
	return s.Carrier.Send(ctx, message)
}

// TestCloseOnASlowPath: the last bytes have the time that they need, as long as there is progress.
func TestCloseOnASlowPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, all := reading(t)
		c := client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
			carrier, err := s.dial(ctx)
			return slow{carrier}, err
		}})
		const size = 200_000
		stream := mustOpen(t, c)
		if _, err := stream.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, stream, size)
		began := time.Now()
		c.Close()
		if g := <-all; g.n != size || g.err != nil {
			t.Errorf("%d bytes of %d, then %v", g.n, size, g.err)
		}
		if took := time.Since(began); took < 3*time.Second {
			t.Errorf("the path was not slow: %s", took)
		}
		s.close()
	})
}

// TestCloseGivesUp: a path that takes nothing holds a client that is closed for seconds only.
func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, all := reading(t)
		c := client.New(client.Config{Dial: s.dial})
		stream := mustOpen(t, c)
		if _, err := stream.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.last.Blackhole()
		s.mu.Unlock()
		mustWrite(t, stream, 1000)
		began := time.Now()
		c.Close()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("the close took %s", took)
		}
		s.mu.Lock()
		s.link.Fail(wire.NewError(wire.SessionLost, ""))
		s.mu.Unlock()
		if g := <-all; g.err == nil {
			t.Errorf("%d bytes, then FIN", g.n)
		}
		s.close()
	})
}
