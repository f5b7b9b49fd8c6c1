package mux

import (
	"testing"
	"testing/synctest"
	"time"
)

func newWindows(budget uint64) *windows {
	return &windows{budget: budget, streams: make(map[uint32]*window)}
}

func TestWindowGrowsWhenItIsUsedUpQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rtt = 100 * time.Millisecond
		w := newWindows(64 << 20)
		w.grant(3, yamuxWindow-firstWindow)
		if got := w.consume(3, firstWindow/2-1, rtt); got != 0 {
			t.Errorf("update of %d before half was used", got)
		}
		// Half a window in less than two round trips: the window doubles.
		if got := w.consume(3, 1, rtt); got != firstWindow/2+firstWindow {
			t.Errorf("first update: %d", got)
		}
		time.Sleep(2 * rtt)
		if got := w.consume(3, firstWindow, rtt); got != firstWindow {
			t.Errorf("an update that was not urgent: %d", got)
		}
		for range 20 {
			w.consume(3, int(w.streams[3].size/2), rtt)
		}
		if size := w.streams[3].size; size != MaxWindow {
			t.Errorf("the window grew to %d, want %d", size, MaxWindow)
		}
	})
}

func TestWindowsShareTheirBudget(t *testing.T) {
	w := newWindows(firstWindow)
	for id := uint32(3); id < 9; id += 2 {
		w.grant(id, yamuxWindow-firstWindow)
		w.consume(id, firstWindow/2, time.Hour)
	}
	if w.grown != firstWindow || w.streams[3].size != 2*firstWindow || w.streams[5].size != firstWindow {
		t.Errorf("grown by %d, sizes %d and %d", w.grown, w.streams[3].size, w.streams[5].size)
	}
	w.forget(3)
	if w.grown != 0 {
		t.Errorf("%d bytes are still counted", w.grown)
	}
	if got := w.consume(3, firstWindow, time.Hour); got != 0 || len(w.streams) != 2 {
		t.Errorf("a stream that is gone got %d", got)
	}
}

func TestNoMoreIsHandedOnThanYamuxGranted(t *testing.T) {
	w := newWindows(64 << 20)
	w.grant(3, 1000)
	if got := w.consume(3, firstWindow/2, time.Hour); got != 1000 {
		t.Errorf("handed on %d of 1000", got)
	}
	if got := w.grant(controlID, 77); got != 77 {
		t.Errorf("the control stream was handed %d of 77", got)
	}
}
