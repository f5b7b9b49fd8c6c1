package interfaces

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestThisMachine(t *testing.T) {
	a, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"127.0.0.1": true, "127.8.9.10": true, "::ffff:127.0.0.1": true, "192.0.2.1": false, "2001:db8::1": false} {
		if got := a.Contains(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
}

// A new address is known after the interval. A listing that fails changes nothing.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before, after := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
		listings := [][]netip.Prefix{{before, after}, nil, {after}}
		lists := 0
		a := &Addresses{at: time.Now(), known: []netip.Prefix{before}, list: func() ([]netip.Prefix, error) {
			lists++
			if known := listings[lists-1]; known != nil {
				return known, nil
			}
			return nil, errors.New("no descriptors")
		}}
		want := func(first, second bool, listed int) {
			t.Helper()
			if a.Contains(before.Addr()) != first || a.Contains(after.Addr()) != second || lists != listed {
				t.Errorf("%v, %v after %d listings; want %v, %v after %d", a.Contains(before.Addr()), a.Contains(after.Addr()), lists, first, second, listed)
			}
		}
		want(true, false, 0)
		time.Sleep(listInterval)
		want(true, true, 1)
		time.Sleep(listInterval)
		want(true, true, 2)
		time.Sleep(listInterval)
		want(false, true, 3)
	})
}
