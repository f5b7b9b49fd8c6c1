package posix

import (
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// resets is a connection that counts its resets.
type resets struct {
	byteStream
	count int
}

func (r *resets) Reset(wire.Code, string) error {
	r.count++
	return nil
}

// TestCutSends: at the end of a program, a send whose turn has come and which has not begun to
// write is cut, so that the target does not take its stream for complete. Others are left alone.
func TestCutSends(t *testing.T) {
	h := newHandles()
	open := func() (*stream, *resets) {
		conn := new(resets)
		s := new(bridge).newConnected(2, 6, conn, netip.AddrPort{}, netip.AddrPort{})
		if _, ok := h.add(s); !ok {
			t.Fatal("there is no room")
		}
		return s, conn
	}
	sends, sending := open()
	place := sends.sending.ask()
	returned, idle := open()
	returned.sending.ask().done()
	if _, ok := h.add(new(bridge).newStream(2, 6)); !ok { // is not connected
		t.Fatal("there is no room")
	}
	h.cutSends()
	if sending.count != 1 || idle.count != 0 {
		t.Errorf("%d resets of the one that sends, %d of the one that has sent", sending.count, idle.count)
	}
	place.done()
	h.cutSends()
	if sending.count != 1 {
		t.Error("a send that has returned was cut")
	}
}
