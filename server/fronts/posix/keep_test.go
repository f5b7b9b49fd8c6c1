package posix

import (
	"bytes"
	"testing"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/budget"
)

// TestKeep gives a call that waits memory of its own, and counts what it holds.
func TestKeep(t *testing.T) {
	account := budget.New(1<<30, 1).Account()
	b := &bridge{in: account}
	for _, size := range []int{0, 1, leastKept - 1, leastKept, len(keptBuffer{}), len(keptBuffer{}) + 1, maxData} {
		data, address := bytes.Repeat([]byte("d"), size), []byte("address")
		kept, n, free, ok := b.keep(calls.Call{ID: 7, Data: data, Address: address})
		if !ok {
			t.Fatal("there is no room")
		}
		if held, least := account.Held(), int64(callCost+size); held != int64(callCost+n) || held < least {
			t.Errorf("of %d bytes %d are held", size, held)
		}
		clear(data)
		clear(address)
		if kept.ID != 7 || !bytes.Equal(kept.Data, bytes.Repeat([]byte("d"), size)) || string(kept.Address) != "address" {
			t.Errorf("a call of %d bytes has changed with its message", size)
		}
		free()
		b.done(n)
		if held := account.Held(); held != 0 {
			t.Errorf("%d bytes are held behind a call of %d", held, size)
		}
	}
	for range maxWaiting {
		if _, _, _, ok := b.keep(calls.Call{}); !ok {
			t.Fatal("there is no room")
		}
	}
	if _, _, _, ok := b.keep(calls.Call{}); ok {
		t.Error("a call too many waits")
	}
}
