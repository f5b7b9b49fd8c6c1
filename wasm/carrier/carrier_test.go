package carrier

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/wasm/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("runtime.handleEvent")) // GOOS=js has it always
}

// browser is the JavaScript half as the tests want it.
type browser struct {
	mu       sync.Mutex
	dialed   []uint32
	sent     []string
	buffered int
	closed   []int
	bodies   map[uint32]string
}

func (b *browser) Dial(id uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dialed = append(b.dialed, id)
}

func (b *browser) Send(_ uint32, message []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, string(message))
	return b.buffered
}

func (b *browser) Buffered(uint32) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffered
}

func (b *browser) Close(_ uint32, code int, _ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = append(b.closed, code)
}

func (b *browser) CopyBody(handle uint32, to []byte, at int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copy(to, b.bodies[handle][at:])
}

func (b *browser) DropBody(handle uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.bodies, handle)
}

func (b *browser) setBuffered(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffered = n
}

// dial opens a carrier of a new set.
func dial(t *testing.T) (*Set, *browser, *Carrier) {
	t.Helper()
	b := &browser{}
	s := NewSet(b, &memory.Pool{})
	var c *Carrier
	var dialing sync.WaitGroup
	dialing.Go(func() {
		var err error
		if c, err = s.Dial(t.Context()); err != nil {
			t.Error(err)
		}
	})
	synctest.Wait()
	s.Opened(1)
	dialing.Wait()
	return s, b, c
}

func TestMessagesInOrderAndBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, c := dial(t)
		s.Message(1, []byte("a"))
		s.Message(1, []byte("b"))
		s.Closed(1, "gone")
		for _, want := range []string{"a", "b"} {
			if m, err := c.Receive(t.Context()); err != nil || string(m) != want {
				t.Errorf("received %q, %v", m, err)
			}
		}
		if _, err := c.Receive(t.Context()); err == nil || err.Error() != "gone" {
			t.Errorf("after the end: %v", err)
		}
		if err := c.Send(t.Context(), []byte("x")); err == nil || len(b.sent) != 0 {
			t.Errorf("send after the end: %v, %v", err, b.sent)
		}
		s.Message(1, []byte("late")) // of a carrier that is gone: this is no error
	})
}

func TestReceiveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, c := dial(t)
		time.AfterFunc(time.Second, func() { s.Message(1, []byte("later")) })
		if m, err := c.Receive(t.Context()); err != nil || string(m) != "later" {
			t.Errorf("received %q, %v", m, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Receive(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("received nothing: %v", err)
		}
	})
}

// TestSendWaitsForRoom: by looking again, or as soon as a message shows that the network has moved.
func TestSendWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, c := dial(t)
		b.setBuffered(highWater + 1)
		began := time.Now()
		time.AfterFunc(12*time.Millisecond, func() { b.setBuffered(0) })
		if err := c.Send(t.Context(), []byte("x")); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 15*time.Millisecond {
			t.Errorf("waited %s", waited)
		}
		b.setBuffered(highWater + 1)
		began = time.Now()
		time.AfterFunc(2*time.Millisecond, func() {
			b.setBuffered(0)
			s.Message(1, []byte("ack"))
		})
		if err := c.Send(t.Context(), []byte("y")); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 2*time.Millisecond {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &browser{}
		s := NewSet(b, &memory.Pool{})
		time.AfterFunc(time.Second, func() { s.Closed(1, "no server") })
		if _, err := s.Dial(t.Context()); err == nil || err.Error() != "no server" {
			t.Errorf("dial: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Dial(ctx); err == nil {
			t.Error("dial without an answer succeeded")
		}
		if len(b.closed) != 1 {
			t.Errorf("the WebSocket without an answer was closed %d times", len(b.closed))
		}
	})
}

// TestBodies: bare messages stay with the browser, in their place among the others, and
// are dropped where their stream is gone.
func TestBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, c := dial(t)
		b.bodies = map[uint32]string{1: "first", 2: "second", 3: "third", 4: "fourth"}
		s.Message(1, []byte("a"))
		s.Body(1, 1, 5)
		s.Message(1, []byte("b"))
		if m, err := c.Receive(t.Context()); err != nil || string(m) != "a" {
			t.Errorf("received %q, %v", m, err)
		}
		body, err := c.ReceiveBody(t.Context())
		if err != nil || body.Len() != 5 || body.(Body).Handle() != 1 {
			t.Fatalf("body %+v, %v", body, err)
		}
		part := make([]byte, 3)
		body.CopyAt(part, 2)
		if string(part) != "rst" {
			t.Errorf("from the third byte on: %q", part)
		}
		body.Release()
		if m, err := c.Receive(t.Context()); err != nil || string(m) != "b" {
			t.Errorf("received %q, %v", m, err)
		}
		s.Body(1, 2, 6)
		if _, err := c.Receive(t.Context()); !errors.Is(err, errBare) {
			t.Errorf("a body in place of a message: %v", err)
		}
		s.Message(1, []byte("c"))
		if _, err := c.ReceiveBody(t.Context()); !errors.Is(err, errNotBare) {
			t.Errorf("a message in place of a body: %v", err)
		}
		s.Body(1, 3, 5)
		if err := c.Close(1000, ""); err != nil {
			t.Error(err)
		}
		if _, err := c.ReceiveBody(t.Context()); err == nil || err.Error() != "closed" {
			t.Errorf("after the end: %v", err)
		}
		s.Body(1, 4, 6)
		if len(b.bodies) != 0 {
			t.Errorf("still there: %v", b.bodies)
		}
	})
}
