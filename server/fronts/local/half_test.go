package local

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func newHalf() *half {
	h := new(half)
	h.init(nil)
	return h
}

// TestHalfEnds tells each end which end the other has made, behind the bytes or at once.
func TestHalfEnds(t *testing.T) {
	why, other := wire.NewError(wire.Reset, "why"), wire.NewError(wire.Aborted, "other")
	for name, test := range map[string]struct {
		end            func(h *half)
		left           int // bytes that can still be read
		reads, writes  error
		wanted, resets bool
	}{
		"finish":              {func(h *half) { _ = h.finish() }, 3, io.EOF, closed.Err, true, false},
		"cut":                 {func(h *half) { h.cut(why) }, 3, why, why, true, true},
		"cut behind finish":   {func(h *half) { _, _ = h.finish(), h.cut(why) }, 3, io.EOF, closed.Err, true, false},
		"two cuts":            {func(h *half) { h.cut(why); h.cut(other) }, 3, why, why, true, true},
		"drop":                {func(h *half) { h.drop(closed.Err, why) }, 0, closed.Err, why, false, false},
		"drop behind finish":  {func(h *half) { _ = h.finish(); h.drop(closed.Err, why) }, 0, closed.Err, why, false, false},
		"two drops":           {func(h *half) { h.drop(other, why); h.drop(closed.Err, other) }, 0, other, why, false, false},
		"the tunnel":          {func(h *half) { h.end(why) }, 3, why, why, true, false},
		"finish, then tunnel": {func(h *half) { _ = h.finish(); h.end(why) }, 3, io.EOF, closed.Err, true, false},
		"tunnel, then finish": {func(h *half) { h.end(why); _ = h.finish() }, 3, why, why, true, false},
		"tunnel, then cut":    {func(h *half) { h.end(why); h.cut(other) }, 3, why, why, true, false},
		"leave":               {func(h *half) { h.leave(why) }, 3, io.EOF, closed.Err, true, false},
	} {
		h := newHalf()
		stopped := h.stopped()
		if _, err := h.write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		test.end(h)
		if _, err := h.write([]byte("d")); !errors.Is(err, test.writes) {
			t.Errorf("%s: a write ends with %v, want %v", name, err, test.writes)
		}
		if err := h.fill(func([]byte) int { panic("it is over") }); !errors.Is(err, test.writes) {
			t.Errorf("%s: a fill ends with %v, want %v", name, err, test.writes)
		}
		if !h.isReadable() {
			t.Errorf("%s: it cannot be read", name)
		}
		h.waitReadable()
		b, left := make([]byte, 2), 0
		for {
			n, err := h.read(b)
			left += n
			if err == nil {
				continue
			}
			if !errors.Is(err, test.reads) || left != test.left {
				t.Errorf("%s: %d bytes, %v; want %d, %v", name, left, err, test.left, test.reads)
			}
			break
		}
		wanted := true
		select {
		case <-stopped:
			wanted = false
		default:
		}
		if wanted != test.wanted || h.wasReset() != test.resets {
			t.Errorf("%s: wanted %t, reset %t", name, wanted, h.wasReset())
		}
	}
}

// TestHalfWaits blocks a write while the buffer is full, and a fill while it is half full, until
// bytes are taken, a deadline has passed, or the half ends.
func TestHalfWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHalf()
		ended := make(chan error, 1)
		waits := func(what string, begin func() error) {
			t.Helper()
			go func() { ended <- begin() }()
			synctest.Wait()
			select {
			case err := <-ended:
				t.Fatalf("%s does not wait: %v", what, err)
			default:
			}
		}
		ends := func(what string, want error) {
			t.Helper()
			if err := <-ended; !errors.Is(err, want) {
				t.Errorf("%s ends with %v, want %v", what, err, want)
			}
		}
		write := func(n int) func() error {
			return func() error {
				_, err := h.write(make([]byte, n))
				return err
			}
		}
		take := func(n int) {
			t.Helper()
			if _, err := io.ReadFull(reader{h}, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
		}
		waits("a long write", write(maxBuffer+1))
		take(1)
		ends("a long write", nil)
		waits("a fill", func() error { return h.fill(func(b []byte) int { return copy(b, "x") }) })
		take(maxBuffer / 2)
		ends("a fill", nil)
		take(maxBuffer/2 + 1)

		h.setReadDeadline(time.Now().Add(time.Second))
		began := time.Now()
		if n, err := h.read(make([]byte, 1)); n != 0 || !errors.Is(err, mux.ErrDeadline) || time.Since(began) != time.Second {
			t.Errorf("%d, %v after %s", n, err, time.Since(began))
		}
		h.waitReadable() // does not wait behind the deadline
		h.setReadDeadline(time.Time{})
		waits("a wait", func() error { h.waitReadable(); return nil })
		h.setReadDeadline(time.Unix(1, 0))
		ends("a wait", nil)
		h.setReadDeadline(time.Time{})

		h.setWriteDeadline(time.Unix(1, 0))
		if n, err := h.write(make([]byte, 2*maxBuffer)); n != maxBuffer || !errors.Is(err, mux.ErrDeadline) {
			t.Errorf("%d, %v", n, err)
		}
		h.setWriteDeadline(time.Time{})
		why := wire.NewError(wire.Aborted, "why")
		waits("a write at the end of a program", write(1))
		h.leave(why)
		ends("a write at the end of a program", why)
		take(maxBuffer)
		if _, err := h.read(make([]byte, 1)); !errors.Is(err, why) {
			t.Errorf("what was cut ends with %v", err)
		}
	})
}

// TestHalfDirect: bytes that are taken in place of the reader keep their order with those that it
// reads. They are taken while it waits, and never while it has bytes.
func TestHalfDirect(t *testing.T) {
	h := newHalf()
	random := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	var got []byte
	direct, reads, busy := 0, 0, false
	h.direct(func(b []byte) int {
		mu.Lock()
		defer mu.Unlock()
		if busy {
			t.Error("bytes overtake those that the reader has")
		}
		n := random.IntN(len(b) + 1)
		got, direct = append(got, b[:n]...), direct+n
		return n
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b := make([]byte, 1000)
		for {
			h.waitReadable()
			n, err := h.read(b)
			mu.Lock()
			busy = true
			mu.Unlock()
			runtime.Gosched()
			mu.Lock()
			got, reads, busy = append(got, b[:n]...), reads+n, false
			mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	want := make([]byte, 1_000_000)
	for i := range want {
		want[i] = byte(i) ^ byte(i>>8)
	}
	for rest := want; len(rest) > 0; {
		n := h.writeNow(rest[:min(len(rest), 1+len(rest)*7%100)])
		if rest = rest[n:]; n == 0 || len(rest)%3 == 0 {
			runtime.Gosched()
		}
	}
	_ = h.finish() // never fails
	<-ended
	if !bytes.Equal(got, want) || direct == 0 || reads == 0 {
		t.Errorf("%d bytes in place of the reader and %d by it, of %d", direct, reads, len(want))
	}
}

// reader is the reading end of a half.
type reader struct{ *half }

func (r reader) Read(b []byte) (int, error) { return r.read(b) }
