package link

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// far is a carrier whose other end acknowledges everything after a round trip.
type far struct {
	rtt    time.Duration
	closed chan struct{}
	once   sync.Once
	acks   chan farAck
	end    uint64
}

type farAck struct {
	at  time.Time
	ack wire.Ack
}

func (f *far) Send(_ context.Context, message []byte) error {
	m, err := wire.Decode(message)
	if err != nil {
		return err
	}
	if data, ok := m.(wire.Data); ok {
		f.end = data.Offset + uint64(len(data.Payload))
		f.acks <- farAck{time.Now().Add(f.rtt), wire.Ack{Received: f.end}}
	}
	return nil
}

func (f *far) Receive(ctx context.Context) ([]byte, error) {
	select {
	case a := <-f.acks:
		time.Sleep(time.Until(a.at)) // of the bubble's clock
		return a.ack.Append(nil), nil
	case <-f.closed:
		return nil, io.EOF
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// ReceiveBody implements link.Carrier.
func (f *far) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := f.Receive(ctx)
	return buffer.Bytes(m), err
}

func (f *far) Close(int, string) error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

// TestBoundGrowsWithThePath: a long and fast path fills more than the first bound, within the
// memory that there is, and what is not used goes back.
func TestBoundGrowsWithThePath(t *testing.T) {
	const bound, floor = 1 << 20, 256 << 10
	for _, test := range []struct{ memory, least, most int }{
		{1 << 30, 15 << 20, 16 << 20},
		{6 << 20, 2<<20 - MaxSegment, 3<<20 + MaxSegment}, // half of it, and a message less or more
		{0, floor / 2, floor + 2*MaxSegment},
	} {
		synctest.Test(t, func(t *testing.T) {
			all := budget.New(int64(test.memory), floor)
			account := all.Account()
			l := New(Config{Bound: bound, MaxBound: 16 << 20, Memory: account})
			c := &far{rtt: 100 * time.Millisecond, closed: make(chan struct{}), acks: make(chan farAck, 1<<16)}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = l.Run(context.Background(), c, 0) // ends with the link
			}()
			piece := make([]byte, 256<<10)
			largest := 0
			for range 1000 { // 250 MiB
				if _, err := l.Write(piece); err != nil {
					t.Fatal(err)
				}
				largest = max(largest, l.Stats().Unacknowledged)
			}
			if largest < test.least || largest > test.most {
				t.Errorf("with %d bytes of memory %d are kept, want %d to %d", test.memory, largest, test.least, test.most)
			}
			time.Sleep(3 * DefaultDeadAfter / 2) // nothing is under way; its end is not told yet
			l.mu.Lock()                          // a timer has written the bound
			idle := l.bound
			l.mu.Unlock()
			if held := account.Held(); held != 0 || idle != bound {
				t.Errorf("%d bytes are held, and the bound is %d, when nothing is under way", held, idle)
			}
			_ = l.Close()
			<-done
		})
	}
}
