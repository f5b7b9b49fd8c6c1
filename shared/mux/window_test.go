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
	update, _ = w.update(rtt, b)
	return update
}

// TestUrgency: an update may wait where the window lasts for longer than it takes to tell.
func TestUrgency(t *testing.T) {
	const rtt = 10 * time.Millisecond
	for used, want := range map[time.Duration]bool{time.Millisecond: true, rtt + lateUpdate: true, 2*(rtt+lateUpdate) + time.Millisecond: false, time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWindow(firstWindow)
			for _, n := range []uint32{firstWindow / 2, firstWindow / 2} {
				time.Sleep(used)
				w.receive(n)
				if !w.due(int(n)) {
					t.Fatal("half a window calls for no update")
				}
				if _, urgent := w.update(rtt, &budget{}); urgent != want {
					t.Errorf("half of the window in %s: urgent %t", used, urgent)
				}
			}
		})
	}
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
		if got := used(&w, w.size/4, rtt, b); got != w.size/4 || w.size != 2*firstWindow {
			t.Errorf("a quarter was used: update of %d, size %d", got, w.size)
		}
		for range 20 {
			used(&w, w.size/2, rtt, b)
		}
		if w.size != MaxWindow {
			t.Errorf("the window grew to %d, want %d", w.size, MaxWindow)
		}
		if want := 64<<20 - MaxWindow + firstWindow; b.left != want {
			t.Errorf("%d bytes of the budget are left, want %d", b.left, want)
		}
	})
}

// TestBriskWindow: where the round trip is short a stream that shares its path with many gets a larger window too, out of the session's own budget.
func TestBriskWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := shared(1 << 30)
		for took, want := range map[time.Duration]uint32{briskly - time.Millisecond: briskWindow, briskly: firstWindow} {
			b := &budget{left: briskWindow - firstWindow, room: &room}
			w := newWindow(firstWindow)
			for range 8 {
				time.Sleep(took)
				used(&w, w.size/2, time.Millisecond, b)
			}
			if w.size != want {
				t.Errorf("half of the window in %s: it grew to %d, want %d", took, w.size, want)
			}
			b.left = firstWindow - 1
			poor := newWindow(firstWindow)
			time.Sleep(2 * time.Millisecond)
			if used(&poor, poor.size/2, time.Millisecond, b); poor.size != firstWindow || room != 1<<30 {
				t.Errorf("without a budget it grew to %d", poor.size)
			}
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

// shared is a Room.
type shared int

func (s *shared) Take(n int) bool {
	if n > int(*s) {
		return false
	}
	*s -= shared(n)
	return true
}

func (s *shared) Give(n int) { *s += shared(n) }

func TestBudgetBorrowsAndReturns(t *testing.T) {
	room := shared(3 * firstWindow)
	b := &budget{left: firstWindow, room: &room}
	for i, want := range []bool{true, true, true, true, false} { // its own, then what is in common
		if got := b.take(firstWindow); got != want {
			t.Errorf("take %d: %v", i, got)
		}
	}
	b.give(firstWindow)
	if room != firstWindow || b.left != 0 {
		t.Errorf("%d in common and %d of its own, want what was borrowed to go back first", room, b.left)
	}
	b.close()
	if room != 3*firstWindow || b.take(1) {
		t.Errorf("%d in common after the end, and more was taken", room)
	}
	vast := shared(10 * MaxWindow)
	b = &budget{room: &vast}
	if !b.take(MaxWindow) || b.take(1) {
		t.Error("a session takes more than MaxWindow of what is in common, or less")
	}
}
