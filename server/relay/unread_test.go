package relay

import (
	"testing"
	"testing/synctest"
)

// TestUnreadRecords: a client that does not read its records gets no further connections, though
// it accepts those that came.
func TestUnreadRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listening{relay: &service{}, window: maxAnnounced, freed: make(chan struct{}, 1), ended: make(chan struct{})}
		l.readable.L = &l.mu
		if !l.awaitRoom() {
			t.Fatal("no room at the start")
		}
		l.records = make([]byte, maxUnread)
		room := make(chan bool, 1)
		go func() { room <- l.awaitRoom() }()
		synctest.Wait()
		select {
		case <-room:
			t.Fatalf("room beside %d bytes of records", maxUnread)
		default:
		}
		if n, err := l.Read(make([]byte, 100)); n != 100 || err != nil {
			t.Fatal(n, err)
		}
		if !<-room {
			t.Error("no room behind a read")
		}
	})
}
