package relay

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// poured counts what was written without copies.
type poured struct {
	*mux.Stream
	fills atomic.Int64
}

func (p *poured) Fill(put func([]byte) int) error {
	return p.Stream.Fill(func(b []byte) int {
		n := put(b)
		p.fills.Add(int64(n))
		return n
	})
}

// TestPour: a fast target's bytes take the short way, all of them arrive, and its end after them.
func TestPour(t *testing.T) {
	data := random(24<<20 + 3)
	for _, resets := range []bool{false, true} {
		taken := make(chan struct{})
		target := listen(t, func(c *net.TCPConn) {
			_, _ = c.Write(data) // the page counts
			if resets {
				<-taken // a reset destroys what is on its way
				_ = c.SetLinger(0)
			}
		})
		r := local(t, Config{})
		observed := make(chan *poured, 1)
		client, _ := sessionOf(t, func(ctx context.Context, s *mux.Stream) {
			p := &poured{Stream: s}
			r.Serve(ctx, p)
			observed <- p
		})
		stream := over(t, client, target)
		got := make([]byte, len(data))
		if _, err := io.ReadFull(stream, got); err != nil || !bytes.Equal(got, data) {
			t.Errorf("the bytes differ, %v", err)
		}
		close(taken)
		n, err := stream.Read(got)
		if resets && codeOf(err) != wire.Reset || !resets && err != io.EOF || n != 0 {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
		_ = stream.Close()
		p := <-observed
		if n := p.fills.Load(); n < int64(len(data))/2 {
			t.Errorf("%d bytes of %d went without copies", n, len(data))
		}
		if _, n := r.Bytes(); n != uint64(len(data)) {
			t.Errorf("%d bytes are counted, want %d", n, len(data))
		}
	}
}

// TestPourToAPageThatStops: the target can go on sending, and reads what the page has written.
func TestPourToAPageThatStops(t *testing.T) {
	heard := make(chan string, 1)
	target := listen(t, func(c *net.TCPConn) {
		block := make([]byte, 1<<20)
		for range 64 {
			if _, err := c.Write(block); err != nil {
				break
			}
		}
		b := make([]byte, 4)
		n, _ := io.ReadFull(c, b) // what it lacks the test sees
		heard <- string(b[:n])
	})
	client, _ := session(t, local(t, Config{}))
	stream := over(t, client, target)
	if _, err := io.CopyN(io.Discard, stream, 4<<20); err != nil {
		t.Fatal(err)
	}
	if err := stream.CancelRead(wire.Aborted); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte("last")); err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != "last" {
		t.Errorf("the target heard %q", got)
	}
	_ = stream.Close()
}
