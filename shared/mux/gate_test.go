package mux

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSparseStreamGoesFirst: a stream that writes now and then does not wait behind those
// that always have more.
func TestSparseStreamGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		tags := make([]uint64, 10)
		var order []int
		var mu sync.Mutex
		var waiting sync.WaitGroup
		enter := func(stream, n int) {
			waiting.Go(func() {
				if !g.enter(&tags[stream], n) {
					t.Error("the gate is closed")
				}
				mu.Lock()
				order = append(order, stream)
				mu.Unlock()
			})
			synctest.Wait()
		}
		for stream := range 2 { // both places are taken
			enter(stream, 1000)
		}
		for stream := 2; stream < 6; stream++ {
			tags[stream] = 5000 // they have just sent much
			enter(stream, 1000)
		}
		enter(9, 10) // a keystroke
		for range 5 {
			g.leave()
			synctest.Wait()
		}
		waiting.Wait()
		if len(order) != 7 || order[2] != 9 {
			t.Errorf("served in the order %v, want 9 third", order)
		}
	})
}

// TestTurns: streams that always have more are served about alike, whatever the size of
// their frames. One with small frames comes back a little late each time.
func TestTurns(t *testing.T) {
	const total = 1_000_000
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		var mu sync.Mutex
		served, all := make([]int, 5), 0
		serve := func(i, n int) {
			time.Sleep(time.Duration(n) * time.Microsecond) // of the bubble's clock: a frame takes its time on the line
			mu.Lock()
			defer mu.Unlock()
			served[i] += n
			if all += n; all >= total {
				g.close()
			}
		}
		var streams sync.WaitGroup
		for i := range served {
			streams.Go(func() {
				var tag uint64
				for n := 100 * (i + 1); g.enter(&tag, n); g.leave() {
					serve(i, n)
				}
			})
		}
		streams.Wait()
		for i, n := range served {
			if n < total/5*2/3 || n > total/5*4/3 {
				t.Errorf("stream %d was served %d bytes of %d, want about a fifth", i, n, total)
			}
		}
	})
}
