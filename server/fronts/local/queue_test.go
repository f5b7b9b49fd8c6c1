package local

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/sockmux/sockmux/shared/budget"
)

// others is what the accounts of the tests hold beside the queue: more than there is, where memory
// is scarce.
const others = 2

// TestQueue gives bytes in their order, whatever is put and taken, and holds what its buffer has.
func TestQueue(t *testing.T) {
	for name, all := range map[string]*budget.Budget{"without a bound": nil, "with room": budget.New(1<<30, 1), "scarce": budget.New(1, 1)} {
		account := all.Account()
		account.Hold(others)
		random := rand.New(rand.NewPCG(1, 2))
		var q queue
		next, due := byte(0), byte(0)
		source := func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i], next = next, next+1
			}
			return b
		}
		most := bufferSizes[0]
		if name != "scarce" {
			most = maxBuffer
		}
		for range 2_000 {
			held := q.to - q.from
			if n := q.room(account); n < 0 || n > most-held {
				t.Fatalf("%s: room for %d bytes beside %d", name, n, held)
			}
			b := source(1 + random.IntN(1<<random.IntN(17)))
			n := 0
			switch random.IntN(3) {
			case 0:
				n = q.put(b, account)
				if n == 0 && held < most || n > len(b) {
					t.Fatalf("%s: %d of %d bytes beside %d are put", name, n, len(b), held)
				}
			case 1:
				n = q.fill(func(free []byte) int { return copy(free, b) }, account)
			case 2:
				got := make([]byte, 1+random.IntN(1<<random.IntN(17)))
				if q.empty() {
					break
				}
				for _, c := range got[:q.take(got, account)] {
					if c != due {
						t.Fatalf("%s: %d in place of %d", name, c, due)
					}
					due++
				}
			}
			next -= byte(len(b) - n)
			size := 0
			if q.buffer != nil {
				size = len(*q.buffer)
			}
			if all != nil && account.Held() != int64(others+size) || size > most || q.empty() != (size == 0) {
				t.Fatalf("%s: %d bytes in a buffer of %d, of which %d are held", name, q.to-q.from, size, account.Held())
			}
		}
		if q.drop(account); !q.empty() || all != nil && account.Held() != others {
			t.Errorf("%s: %d bytes are held behind the end", name, account.Held())
		}
	}
}

// TestQueueFullWhileScarce never asks for bytes where it has no room.
func TestQueueFullWhileScarce(t *testing.T) {
	account := budget.New(1, 1).Account()
	account.Hold(others)
	var q queue
	if n := q.put(make([]byte, maxBuffer), account); n != bufferSizes[0] {
		t.Errorf("%d bytes were put", n)
	}
	n := q.fill(func([]byte) int {
		t.Error("bytes are asked for")
		return 0
	}, account)
	if n != 0 || q.room(account) != 0 {
		t.Errorf("%d bytes, room for %d", n, q.room(account))
	}
	b := make([]byte, 2*maxBuffer)
	if n := q.take(b, account); n != bufferSizes[0] || !bytes.Equal(b[:n], make([]byte, n)) {
		t.Errorf("%d bytes are taken", n)
	}
}
