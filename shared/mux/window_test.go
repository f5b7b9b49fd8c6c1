package mux

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

// used reads n bytes of a stream whose other end sends as much as it may.
func used(w *window, n uint32, rtt time.Duration, b *growth) (update uint32) {
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
				if _, urgent := w.update(rtt, &growth{}); urgent != want {
					t.Errorf("half of the window in %s: urgent %t", used, urgent)
				}
			}
		})
	}
}

func TestWindowGrowsWhenItIsUsedUpQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rtt = 100 * time.Millisecond
		b := &growth{left: 64 << 20}
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

// TestBriskWindow: where the round trip is short a stream that shares its path with many
// gets a larger window too, out of the session's own budget.
func TestBriskWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := budget.New(1<<30, 0).Account()
		for took, want := range map[time.Duration]uint32{briskly - time.Millisecond: briskWindow, briskly: firstWindow} {
			b := &growth{left: briskWindow - firstWindow, memory: account}
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
			if used(&poor, poor.size/2, time.Millisecond, b); poor.size != firstWindow || b.beyond != 0 {
				t.Errorf("without a budget it grew to %d", poor.size)
			}
		}
	})
}

func TestWindowsShareTheirBudget(t *testing.T) {
	b := &growth{left: firstWindow}
	first, second := newWindow(firstWindow), newWindow(firstWindow)
	for _, w := range []*window{&first, &second} {
		used(w, firstWindow/2, time.Hour, b)
	}
	if b.left != 0 || first.size != 2*firstWindow || second.size != firstWindow {
		t.Errorf("%d left, sizes %d and %d", b.left, first.size, second.size)
	}
	b.give(firstWindow, 0)
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

func TestGrowthBeyondTheOwnBudget(t *testing.T) {
	all := budget.New(8<<20, 0)
	account := all.Account()
	g := &growth{left: firstWindow, memory: account}
	for i := range 3 {
		if !g.take(firstWindow) {
			t.Errorf("take %d is refused", i)
		}
	}
	g.give(firstWindow, 0)
	if g.beyond != firstWindow || g.left != 0 {
		t.Errorf("%d beyond and %d of its own, want what was beyond to go back first", g.beyond, g.left)
	}
	account.Hold(5 << 20) // more than is free
	if g.take(1) || g.takeOwn(0) {
		t.Error("a session that holds more than its share is granted more")
	}
	account.Hold(-5 << 20)
	if g.take(MaxWindow) || !g.take(MaxWindow-firstWindow) {
		t.Error("a session gets more than MaxWindow beyond its own, or less")
	}
	g.close()
	if g.take(1) {
		t.Error("a window grows after the end")
	}
	if g := (&growth{}); g.take(1) {
		t.Error("a session whose memory is not counted gets more than its own")
	}
}

// TestStartShares: the first streams begin with large windows, many with some, and the windows
// of streams that are idle take nothing of what others may grow by.
func TestStartShares(t *testing.T) {
	all := budget.New(1<<30, 0)
	g := newGrowth(DefaultWindowBudget, all.Account())
	shares := make([]uint32, 1000)
	sum := 0
	for i := range shares {
		shares[i] = g.takeStart()
		sum += int(shares[i])
	}
	if shares[0] != 1<<20 || shares[5] < 900<<10 || shares[99] < 200<<10 || shares[99] > shares[0] {
		t.Errorf("shares of %d, %d and %d", shares[0], shares[5], shares[99])
	}
	if sum > StartBudget || g.left != DefaultWindowBudget {
		t.Errorf("shares of %d in all, and %d to grow by", sum, g.left)
	}
	for _, share := range shares {
		g.give(0, share)
	}
	if got := g.takeStart(); got != shares[0] {
		t.Errorf("a share of %d when all were given back", got)
	}
	other := all.Account()
	other.Hold(1 << 29)
	g.memory.Hold(1<<29 + 1)
	if got := g.takeStart(); got != 0 {
		t.Errorf("a session that holds more than is free gets a share of %d", got)
	}
	g.memory.Hold(-1 << 29)
	g.close()
	if got := g.takeStart(); got != 0 {
		t.Errorf("a share of %d after the end", got)
	}
}

// TestWindowStopsAtItsMost: one that began larger by a share grows no further than others.
func TestWindowStopsAtItsMost(t *testing.T) {
	for most, rtt := range map[uint32]time.Duration{MaxWindow: time.Minute, briskWindow: 0} {
		g := newGrowth(DefaultWindowBudget, nil)
		w := newWindow(firstWindow)
		w.start(100 << 10)
		for range 12 {
			used(&w, w.size/2, rtt, &g)
		}
		if w.size != most || g.left != DefaultWindowBudget-int(most-firstWindow-100<<10) {
			t.Errorf("it grew to %d, and %d of the budget are left; want %d", w.size, g.left, most)
		}
	}
}

// TestWindowWithShare: a window grows beyond its share, and gives both back.
func TestWindowWithShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGrowth(DefaultWindowBudget, nil)
		w := newWindow(firstWindow)
		share := g.takeStart()
		w.start(share)
		begins := w.size
		if !w.receive(firstWindow + share) {
			t.Fatal("the other end may not send what it was told")
		}
		w.due(int(begins / 2))
		if w.update(time.Second, &g); w.size != 2*begins {
			t.Errorf("a window of %d grew to %d", begins, w.size)
		}
		grown, extra := w.end()
		if grown != begins || extra != share {
			t.Errorf("it gives %d and %d back, want %d and %d", grown, extra, begins, share)
		}
		g.give(grown, extra)
		if g.left != DefaultWindowBudget || g.start != StartBudget {
			t.Errorf("%d and %d are left, want all", g.left, g.start)
		}
	})
}
