package relay

import (
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestPeers: who may answer, for how long, and how many.
func TestPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peers
		p.init()
		checks := 0
		allowed := func() error { checks++; return nil }
		addr := func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i >> 8)}), uint16(1000+i))
		}
		reach := func(i int) {
			t.Helper()
			if err := p.reach(addr(i), datagram.PeerAt(addr(i)), allowed); err != nil {
				t.Error(err)
			}
		}
		reach(1)
		reach(1)
		if checks != 1 {
			t.Errorf("%d checks of one peer", checks)
		}
		if _, ok := p.from(addr(2)); ok {
			t.Error("a stranger may answer")
		}
		time.Sleep(peerIdle - time.Second)
		if _, ok := p.from(addr(1)); !ok {
			t.Error("the peer may not answer")
		}
		time.Sleep(peerIdle - time.Second)
		if as, ok := p.from(addr(1)); !ok || as != datagram.PeerAt(addr(1)) {
			t.Error("an answer does not count")
		}
		time.Sleep(peerIdle)
		if _, ok := p.from(addr(1)); ok {
			t.Error("the peer may answer for ever")
		}
		for i := range maxPeers {
			time.Sleep(time.Millisecond)
			reach(i)
		}
		reach(0) // the oldest is 1 now
		time.Sleep(time.Millisecond)
		reach(maxPeers)
		for i, want := range map[int]bool{0: true, 1: false, 2: true, maxPeers: true} {
			if _, ok := p.from(addr(i)); ok != want {
				t.Errorf("peer %d may answer: %v", i, ok)
			}
		}
		if len(p.known) != maxPeers {
			t.Errorf("%d peers", len(p.known))
		}
		denied, limited := wire.NewError(wire.Denied, ""), errors.New("limit")
		for _, want := range []error{denied, limited} {
			asked := 0
			for range 3 {
				if err := p.reach(addr(999), named(want.Error(), 5), func() error { asked++; return want }); err != want {
					t.Error(err)
				}
			}
			if wantAsked := map[error]int{denied: 1, limited: 3}[want]; asked != wantAsked {
				t.Errorf("%v: asked %d times, want %d", want, asked, wantAsked)
			}
			if _, ok := p.from(addr(999)); ok {
				t.Error("a peer that was refused may answer")
			}
		}
	})
}
