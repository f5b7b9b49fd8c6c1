package link_test

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestStartInRounds: the window of a new path doubles each round trip, whether or not the writer is
// a little ahead of the sender: 256 KiB, 512 KiB, 1 and 2 MiB are four of them.
func TestStartInRounds(t *testing.T) {
	const rtt, size, rounds = 100 * time.Millisecond, 3 << 20, 4
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, link.Config{})
		var lines sync.WaitGroup
		a, b := linktest.Pipe()
		p.runs.Go(func() { p.errs <- p.a.Run(t.Context(), newFar(&lines, a, rtt/2), 0) })
		p.runs.Go(func() { p.errs <- p.b.Run(t.Context(), newFar(&lines, b, rtt/2), 0) })
		sent := payload(size, 1)
		began := time.Now()
		go func() { _, _ = p.a.Write(sent) }() // ends with its link, if not before
		got := make([]byte, size)
		if _, err := io.ReadFull(p.b, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("other bytes than were sent, error %v", err)
		}
		if took := time.Since(began); took > rounds*rtt {
			t.Errorf("%d MiB in %v, want at most %d round trips of %v", size>>20, took, rounds, rtt)
		}
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
		lines.Wait()
	})
}

// TestEagerAcknowledgements: while a flow is young each message of some length is acknowledged as
// it comes, because the sender's window is the limit. Later a pause is between two.
func TestEagerAcknowledgements(t *testing.T) {
	const young, message = 4 << 20, 64 << 10
	synctest.Test(t, func(t *testing.T) {
		l := link.New(link.Config{})
		a, b := linktest.Pipe()
		var run sync.WaitGroup
		run.Go(func() { _ = l.Run(t.Context(), a, 0) }) // ends with its link
		go func() { _, _ = io.Copy(io.Discard, l) }()   // as above
		var acks atomic.Int64
		offset := uint64(0)
		run.Go(func() {
			for {
				m, err := b.Receive(t.Context())
				if err != nil {
					return
				}
				if m[0] == byte(wire.TypeAck) {
					acks.Add(1)
				}
			}
		})
		send := func(n int) int {
			before := acks.Load()
			for range n {
				if err := b.Send(t.Context(), wire.Data{Offset: offset, Payload: make([]byte, message)}.Append(nil)); err != nil {
					t.Fatal(err)
				}
				offset += message
				synctest.Wait()
			}
			return int(acks.Load() - before)
		}
		if got := send(young / message); got != young/message {
			t.Errorf("%d acknowledgements of the first %d messages", got, young/message)
		}
		if got := send(8); got > 1 {
			t.Errorf("%d acknowledgements of the next 8 messages at once, want 1 at most", got)
		}
		time.Sleep(time.Second) // of the bubble: the next flow
		if got := send(4); got != 4 {
			t.Errorf("%d acknowledgements of 4 messages behind a pause", got)
		}
		_ = l.Close()
		b.Cut()
		run.Wait()
	})
}
