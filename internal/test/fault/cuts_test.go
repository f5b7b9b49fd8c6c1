package fault_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
)

// TestCuts is the main promise: carriers are lost in every way while streams move bytes,
// and the layers above the link notice nothing.
func TestCuts(t *testing.T) {
	const streams = 20
	total := scaled[int64](64<<20, 1<<30)
	cuts := scaled(24, 200)
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, states := w.client()
	first := product.Open(t, c, target)

	began := time.Now()
	var moved atomic.Int64
	var failed atomic.Int32
	var wait sync.WaitGroup
	for i := range streams {
		s := product.Open(t, c, target)
		move := download
		if i%2 == 1 {
			move = upload
		}
		wait.Go(func() {
			if err := move(s, uint64(i), total/streams, &moved); err != nil {
				failed.Add(1)
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	done := make(chan struct{})
	go func() { // ends with the streams
		defer close(done)
		wait.Wait()
	}()

	var of [fault.Kinds]int
	var longest time.Duration
cutting:
	for i := range cuts {
		// Spread evenly over the bytes, so that every cut hits a carrier at work.
		for at := total * int64(i+1) / int64(cuts+1); moved.Load() < at; {
			select {
			case <-done:
				break cutting
			case <-time.After(time.Millisecond): // paces the polls
			}
		}
		kind := fault.Kind(i % int(fault.Kinds))
		from, cut := states.count(), time.Now()
		w.proxy.Cut(kind)
		of[kind]++
		_, from = states.await(t, from, kind.String()+" is noticed", is(client.Resuming))
		states.await(t, from, kind.String()+" is repaired", is(client.Open))
		longest = max(longest, time.Since(cut))
	}
	<-done
	took := time.Since(began)

	if s := w.Counts(t); s.Sessions != 1 {
		t.Errorf("%d sessions, want the one", s.Sessions)
	}
	if n := w.proxy.Taken(); n < cuts+1 {
		t.Errorf("%d carriers for %d cuts", n, cuts)
	}
	if got := moved.Load(); got != total/streams*streams {
		t.Errorf("%d bytes were moved, want %d", got, total/streams*streams)
	}
	if err := first.Close(); err != nil {
		t.Errorf("the idle stream: %v", err)
	}
	all := 0
	for kind, n := range of {
		t.Logf("%d times %s", n, fault.Kind(kind))
		all += n
	}
	t.Logf("%d MiB over %d streams in %s, %d carriers cut, longest interruption %s: %d streams lost",
		moved.Load()>>20, streams, took.Round(time.Millisecond), all, longest.Round(time.Millisecond), failed.Load())
	if all != cuts {
		t.Errorf("%d cuts, want %d", all, cuts)
	}
}

// TestCutWhileOpening: carriers are cut while 500 streams open; each opens all the same, once.
func TestCutWhileOpening(t *testing.T) {
	const streams = 500
	w := newWorld(t, quick)
	var dialed atomic.Int64
	target := product.Target(t, countDials(&dialed))
	c, states := w.client()
	product.Open(t, c, target).Close()
	eventually(t, "the first is there", func() bool { return dialed.Load() == 1 })

	stop := make(chan struct{})
	var cutting sync.WaitGroup
	cuts := 0
	var wait sync.WaitGroup
	cutting.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond): // the rate of the cuts
			}
			from := states.count()
			w.proxy.Cut([]fault.Kind{fault.Reset, fault.MidFrame}[cuts%2])
			cuts++
			c.RetryNow()
			if cuts%2 == 1 {
				states.await(t, from, "repaired", is(client.Open))
			}
		}
	})
	for i := range streams {
		wait.Go(func() {
			s, err := product.Opened(t.Context(), c, target)
			if err != nil {
				t.Errorf("stream %d: %v", i, err)
				return
			}
			var moved atomic.Int64
			if err := upload(s, uint64(i), 10_000, &moved); err != nil {
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	close(stop)
	cutting.Wait()
	if cuts == 0 {
		t.Error("nothing was cut")
	}
	if n := dialed.Load(); n != streams+1 {
		t.Errorf("the target saw %d connections, want %d", n, streams+1)
	}
	if s := w.Counts(t); s.Sessions != 1 {
		t.Errorf("%d sessions, want the one", s.Sessions)
	}
	t.Logf("%d streams opened over %d cuts", streams, cuts)
}

// TestBothEndsCutAtOnce: neither end is told by the other, and both notice.
func TestBothEndsCutAtOnce(t *testing.T) {
	w := newWorld(t, patient)
	target := product.Target(t, mover)
	c, states := w.client()
	var moved atomic.Int64
	for i := range 20 {
		s := product.Open(t, c, target)
		from := states.count()
		w.proxy.Cut(fault.Reset)
		if err := upload(s, uint64(i), 300_000, &moved); err != nil {
			t.Fatalf("cut %d: %v", i, err)
		}
		states.await(t, from, "repaired", is(client.Open))
	}
}
