package link_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// far is a carrier whose messages take a while; any number is on the way at once.
type far struct {
	*linktest.Carrier
	delay time.Duration
	queue chan late
}

type late struct {
	message []byte
	due     time.Time
}

// farQueue is more messages than a link has under way.
const farQueue = 1 << 12

func newFar(tasks *sync.WaitGroup, c *linktest.Carrier, delay time.Duration) *far {
	f := &far{Carrier: c, delay: delay, queue: make(chan late, farQueue)}
	tasks.Go(func() {
		for {
			select {
			case m := <-f.queue:
				time.Sleep(time.Until(m.due)) // of the bubble
				if f.Carrier.Send(context.Background(), m.message) != nil {
					return
				}
			case <-f.Done():
				return
			}
		}
	})
	return f
}

func (f *far) Send(ctx context.Context, message []byte) error {
	select {
	case f.queue <- late{bytes.Clone(message), time.Now().Add(f.delay)}:
		return nil
	case <-f.Done():
		return linktest.ErrCut
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestDelayOfTwoSeconds: a proxy that delays everything by 2 s is slow, not dead, with
// the product's own times: every byte comes both ways over one carrier, also after a
// carrier was lost with what was on its way.
func TestDelayOfTwoSeconds(t *testing.T) {
	const delay, size = 2 * time.Second, 4 << 20
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, link.Config{})
		var lines sync.WaitGroup
		join := func() *linktest.Carrier {
			a, b := linktest.Pipe()
			fromA, fromB := p.b.Received(), p.a.Received()
			p.runs.Go(func() { p.errs <- p.a.Run(t.Context(), newFar(&lines, a, delay), fromA) })
			p.runs.Go(func() { p.errs <- p.b.Run(t.Context(), newFar(&lines, b, delay), fromB) })
			return a
		}
		carrier := join()
		down, up := payload(size, 1), payload(size, 2)
		began := time.Now()
		var moving sync.WaitGroup
		for _, way := range []struct {
			from, to *link.Link
			bytes    []byte
		}{{p.a, p.b, up}, {p.b, p.a, down}} {
			moving.Go(func() {
				if _, err := way.from.Write(way.bytes); err != nil {
					t.Error(err)
				}
			})
			moving.Go(func() {
				got := make([]byte, size)
				if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, way.bytes) {
					t.Errorf("other bytes than were sent, error %v", err)
				}
			})
		}
		time.Sleep(5 * time.Second)
		if p.a.Received() == 0 || p.a.Received() == size {
			t.Errorf("%d bytes after 5 s, want some", p.a.Received())
		}
		carrier.Cut()
		<-p.errs
		<-p.errs
		join()
		moving.Wait()
		p.nobodyGaveUp(t)
		took := time.Since(began)
		for name, l := range map[string]*link.Link{"client": p.a, "server": p.b} {
			if s := l.Stats(); s.Runs != 2 || s.MinRTT < 2*delay {
				t.Errorf("%s: %+v", name, s)
			}
		}
		time.Sleep(time.Hour) // idle, over the same carrier
		p.nobodyGaveUp(t)
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
		lines.Wait()
		t.Logf("%d MiB each way and a cut in %s", size>>20, took)
	})
}

// TestClaimedDelay: an acknowledgement says how long it waited. What is longer than any end waits
// is not believed, else the path would look shorter than it is.
func TestClaimedDelay(t *testing.T) {
	const rtt, longest = 500 * time.Millisecond, 50 * time.Millisecond
	for claimed, want := range map[time.Duration]time.Duration{
		0:                      rtt,
		10 * time.Millisecond:  rtt - 10*time.Millisecond,
		490 * time.Millisecond: rtt - longest,
		time.Hour:              rtt - longest,
	} {
		synctest.Test(t, func(t *testing.T) {
			l := link.New(link.Config{})
			a, b := linktest.Pipe()
			var run sync.WaitGroup
			run.Go(func() { _ = l.Run(t.Context(), a, 0) }) // ends with its link
			if _, err := l.Write([]byte("bytes")); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(rtt) // of the bubble
			if err := b.Send(t.Context(), wire.Ack{Received: 5, Delay: claimed}.Append(nil)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := l.Stats().RTT; got != want {
				t.Errorf("claimed %s: round trip %s, want %s", claimed, got, want)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			run.Wait()
		})
	}
}
