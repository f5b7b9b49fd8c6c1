package relay

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

func TestSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := budget.New(1<<30, 1).Account()
		h := held{account: account}
		s := newSenders(&h)
		addr := func(n int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 9)
		}
		if s.may(addr(1)) || (*senders)(nil).may(addr(1)) {
			t.Error("a stranger that has not sent may be answered")
		}
		s.note(addr(1))
		time.Sleep(peerIdle - time.Second)
		if !s.may(addr(1)) || s.may(netip.AddrPortFrom(addr(1).Addr(), 8)) {
			t.Error("who has sent may be answered, at that port")
		}
		time.Sleep(time.Second)
		if s.may(addr(1)) {
			t.Error("a sender may be answered for ever")
		}
		for i := range maxSenders {
			s.note(addr(i))
		}
		s.note(addr(0)) // not the oldest any more
		s.note(addr(maxSenders))
		for n, want := range map[int]bool{0: true, 1: false, 2: true, maxSenders: true} {
			if s.may(addr(n)) != want {
				t.Errorf("sender %d: %t", n, !want)
			}
		}
		if len(s.known) != maxSenders || s.order.Len() != maxSenders || h.bytes != maxSenders*senderBytes {
			t.Errorf("%d are known, %d in order, %d bytes counted", len(s.known), s.order.Len(), h.bytes)
		}
		for _, none := range []string{"0.0.0.0:68", "255.255.255.255:67", "224.0.0.1:5", "10.0.0.1:0", "[ff02::1]:5"} {
			at := netip.MustParseAddrPort(none)
			s.note(at)
			if s.may(at) {
				t.Errorf("%s may be answered", none)
			}
		}
	})
}
