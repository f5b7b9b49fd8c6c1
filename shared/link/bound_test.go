package link

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// tank is a Room.
type tank struct {
	mu   sync.Mutex
	left int
}

func (r *tank) Take(n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}

func (r *tank) has() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.left
}

func (r *tank) Give(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left += n
}

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

// TestBoundGrowsWithThePath: a long and fast path fills more than the first bound, within what there is room for, and what is not used goes back.
func TestBoundGrowsWithThePath(t *testing.T) {
	for _, test := range []struct {
		room, want int // beyond Bound
	}{
		{1 << 30, 15 << 20},
		{4 << 20, 3 << 20}, // 1 and 2 MiB; 4 more are not there
		{0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			room := &tank{left: test.room}
			l := New(Config{Bound: 1 << 20, MaxBound: 16 << 20, Room: room})
			c := &far{rtt: 100 * time.Millisecond, closed: make(chan struct{}), acks: make(chan farAck, 1<<16)}
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = l.Run(context.Background(), c, 0) // ends with the link
			}()
			piece := make([]byte, 256<<10)
			for range 1000 { // 250 MiB
				if _, err := l.Write(piece); err != nil {
					t.Fatal(err)
				}
				if held := l.Stats().Unacknowledged; held > 1<<20+test.want {
					t.Fatalf("%d bytes are kept, want %d at most", held, 1<<20+test.want)
				}
			}
			if got := test.room - room.has(); got != test.want {
				t.Errorf("the bound has grown by %d, want %d", got, test.want)
			}
			time.Sleep(3 * DefaultDeadAfter / 2) // nothing is under way; its end is not told yet
			if room.has() != test.room {
				t.Errorf("%d bytes of %d are back", room.has(), test.room)
			}
			_ = l.Close()
			<-done
			if room.has() != test.room {
				t.Errorf("%d bytes of %d are back at the end", room.has(), test.room)
			}
		})
	}
}
