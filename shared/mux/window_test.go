package mux

import (
	"testing"
	"testing/synctest"
	"time"
)

// used reads n bytes of a stream whose other end sends as much as it may.
func used(w *window, n uint32, rtt time.Duration, b *budget) (update uint32) {
	w.receive(min(n, w.left))
	if !w.due(int(n)) {
		return 0
	}
	return w.update(rtt, b)
}

func TestWindowGrowsWhenItIsUsedUpQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rtt = 100 * time.Millisecond
		b := &budget{left: 64 << 20}
		w := newWindow(firstWindow)
		if got := used(&w, firstWindow/2-1, rtt, b); got != 0 {
			t.Errorf("update of %d before half was used", got)
		}
		// Half a window in less than two round trips: the window doubles.
		if got := used(&w, 1, rtt, b); got != firstWindow/2+firstWindow {
			t.Errorf("first update: %d", got)
		}
		time.Sleep(2 * rtt)
		if got := used(&w, firstWindow, rtt, b); got != firstWindow {
			t.Errorf("an update that was not urgent: %d", got)
		}
		if w.left != w.size {
			t.Errorf("%d may be sent, want the whole window of %d", w.left, w.size)
		}
		for range 20 {
			used(&w, w.size/2, rtt, b)
		}
		if w.size != MaxWindow {
			t.Errorf("the window grew to %d, want %d", w.size, MaxWindow)
		}
		if want := uint64(64<<20 - MaxWindow + firstWindow); b.left != want {
			t.Errorf("%d bytes of the budget are left, want %d", b.left, want)
		}
	})
}

func TestWindowsShareTheirBudget(t *testing.T) {
	b := &budget{left: firstWindow}
	first, second := newWindow(firstWindow), newWindow(firstWindow)
	for _, w := range []*window{&first, &second} {
		used(w, firstWindow/2, time.Hour, b)
	}
	if b.left != 0 || first.size != 2*firstWindow || second.size != firstWindow {
		t.Errorf("%d left, sizes %d and %d", b.left, first.size, second.size)
	}
	b.give(firstWindow)
	if used(&second, firstWindow/2, time.Hour, b); second.size != 2*firstWindow {
		t.Errorf("what was given back is not used: %d", second.size)
	}
}

func TestNoMoreComesThanTheWindow(t *testing.T) {
	w := newWindow(firstWindow)
	if !w.receive(firstWindow) || w.receive(1) {
		t.Errorf("%d bytes are left of a window that was used up", w.left)
	}
}
