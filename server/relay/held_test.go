package relay

import (
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestHeld(t *testing.T) {
	account := budget.New(1<<20, 0).Account()
	h := held{account: account}
	h.add(100)
	h.add(-40)
	if got := account.Held(); got != 60 {
		t.Errorf("holds %d, want 60", got)
	}
	h.end()
	h.end()
	h.add(5)
	if got := account.Held(); got != 0 {
		t.Errorf("holds %d behind the end", got)
	}
	(&held{}).add(1) // without an account
}

// TestDatagramsCount: what a client keeps the server from finishing counts as its session's
// memory until the stream ends.
func TestDatagramsCount(t *testing.T) {
	peer := listenUDP(t, "127.0.0.1:0")
	r := local(t, Config{})
	account := budget.New(1<<20, 0).Account()
	terms := r.defaults
	terms.Memory = account
	s := serveUDP(t, r, terms, "127.0.0.1", peer.addr.Port())
	s.want(wire.OK)
	record, err := datagram.Record{Payload: []byte(strings.Repeat("x", 60_000))}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.send(record[:50_000]); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, patience, "half a datagram counts", func() bool { return account.Held() >= 50_000 })
	if err := s.send(record[50_000:]); err != nil {
		t.Fatal(err)
	}
	if got, _ := peer.recv(); len(got) != 60_000 {
		t.Errorf("%d bytes arrived", len(got))
	}
	servertest.Eventually(t, patience, "a whole one does not", func() bool { return account.Held() == 0 })
	if err := s.send(record[:50_000]); err != nil {
		t.Fatal(err)
	}
	servertest.Eventually(t, patience, "half a datagram counts again", func() bool { return account.Held() >= 50_000 })
	s.reset(wire.Aborted)
	s.wait()
	if got := account.Held(); got != 0 {
		t.Errorf("the stream has ended and holds %d bytes", got)
	}
}
