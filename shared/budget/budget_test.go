package budget_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

const (
	mib   = 1 << 20
	floor = 128 << 10
)

// take holds pieces until the account is over.
func take(a *budget.Account) {
	for !a.Over() {
		a.Hold(64 << 10)
	}
}

// near reports whether got is want, but for the last piece and what one holder's last
// piece moves for the others.
func near(got, want int64) bool { return got > want-mib && got < want+mib }

func TestHoldersShareAndLeaveAsMuchForTheNext(t *testing.T) {
	const max = 240 * mib
	b := budget.New(max, floor)
	first, second := b.Account(), b.Account()
	take(first)
	if !near(first.Held(), max/2) {
		t.Errorf("one holder has %d bytes, want half of %d", first.Held(), max)
	}
	take(second)
	if !near(second.Held(), max/4) {
		t.Errorf("a second holder beside half has %d bytes, want a quarter of %d", second.Held(), max)
	}
	if !first.Over() {
		t.Error("the larger holder is not over, but the smaller is")
	}
	first.Hold(-int(first.Held() - second.Held()))
	if first.Over() {
		t.Error("two holders of a quarter each are over, though half is free")
	}
	take(first)
	take(second)
	if third := b.Account(); third.Over() || b.Exhausted() {
		t.Errorf("a newcomer finds nothing: %d of %d are held", b.Used(), b.Max())
	}
}

func TestFloorIsAlwaysThere(t *testing.T) {
	b := budget.New(mib, floor)
	hog := b.Account()
	hog.Hold(2 * mib)
	if !b.Exhausted() || !b.Scarce() {
		t.Error("2 of 1 MiB are held, but the budget is not exhausted")
	}
	small := b.Account()
	small.Hold(floor)
	if small.Over() {
		t.Error("an account that holds the floor is over")
	}
	small.Hold(1)
	if !small.Over() {
		t.Error("an account beyond the floor is not over, though nothing is free")
	}
}

func TestCloseGivesBack(t *testing.T) {
	b := budget.New(mib, floor)
	a := b.Account()
	a.Hold(1000)
	a.Close()
	a.Hold(1000) // what comes late
	a.Hold(-1000)
	if used := b.Used(); used != 0 {
		t.Errorf("%d bytes are held by nothing", used)
	}
}

func TestNilHasNoBound(t *testing.T) {
	var a *budget.Account
	a.Hold(1 << 40)
	if a.Over() || a.Held() != 0 || !a.Wait(nil, 0) {
		t.Error("a nil account has a bound")
	}
	a.Close()
}

func TestHighTellsOnce(t *testing.T) {
	b := budget.New(mib, floor)
	a := b.Account()
	a.Hold(mib / 2)
	select {
	case <-b.High():
		t.Error("half of the budget counts as high")
	default:
	}
	a.Hold(mib / 2)
	a.Hold(1)
	<-b.High()
	select {
	case <-b.High():
		t.Error("two values wait")
	default:
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(mib, floor)
		a, other := b.Account(), b.Account()
		other.Hold(mib / 2)
		a.Hold(mib / 2)
		began := time.Now()
		if a.Wait(nil, time.Second) {
			t.Error("an account that is over need not wait")
		}
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("patience of a second lasted %s", took)
		}
		end := make(chan struct{})
		close(end)
		if a.Wait(end, time.Hour) {
			t.Error("the end is no end")
		}
		go func() {
			time.Sleep(time.Minute)
			other.Hold(-mib / 2)
		}()
		if !a.Wait(nil, time.Hour) {
			t.Error("memory that another gave back is not seen")
		}
		other.Hold(mib)
		go func() {
			for range 3 {
				time.Sleep(time.Minute)
				a.Hold(-100 << 10)
			}
			time.Sleep(time.Minute)
			a.Hold(-(mib/2 - 300<<10))
		}()
		if !a.Wait(nil, 90*time.Second) {
			t.Error("a holder that gives back loses its patience")
		}
	})
}
