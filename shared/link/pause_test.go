package link_test

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestPauseOfAcknowledgements: of a stream of long messages every fourth millisecond is
// acknowledged, of one of shorter messages every second. Long ones come on fast paths alone.
func TestPauseOfAcknowledgements(t *testing.T) {
	const young, messages = 4 << 20, 200
	for size, every := range map[int]int{64 << 10: 4, 32 << 10: 2} {
		synctest.Test(t, func(t *testing.T) {
			l := link.New(link.Config{})
			a, b := linktest.Pipe()
			var tasks sync.WaitGroup // they end with the link
			tasks.Go(func() { _ = l.Run(t.Context(), a, 0) })
			tasks.Go(func() { _, _ = io.Copy(io.Discard, l) })
			acks := 0
			tasks.Go(func() {
				for {
					if _, err := b.Receive(t.Context()); err != nil {
						return
					}
					acks++
				}
			})
			offset := uint64(0)
			send := func() {
				t.Helper()
				if err := b.Send(t.Context(), wire.Data{Offset: offset, Payload: make([]byte, size)}.Append(nil)); err != nil {
					t.Fatal(err)
				}
				offset += uint64(size)
				time.Sleep(time.Millisecond) // of the bubble
				synctest.Wait()
			}
			for offset <= young {
				send()
			}
			before := acks
			for range messages {
				send()
			}
			if got := acks - before; got < messages/every-1 || got > messages/every+1 {
				t.Errorf("%d acknowledgements of %d messages of %d KiB; want every %d. to have one", got, messages, size>>10, every)
			}
			_ = l.Close()
			b.Cut()
			tasks.Wait()
		})
	}
}
